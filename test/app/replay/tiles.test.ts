import { describe, expect, it } from 'vitest';
import { toTiles, type TilesRequest } from '../../../src/app/replay/tiles.ts';

const VIDEO = { index: 0, width: 1_281, height: 720, framesPerSecond: 25 };
const areas = (request: TilesRequest): string[] =>
  toTiles(request, VIDEO).map(({ speaker, area }) => [speaker.name, area.x, area.y, area.width, area.height].join(' '));

describe('toTiles', () => {
  it('takes places in pixels, with any name that can be seen.', () => {
    expect(areas({ tiles: ['Ada=0,0,640,360', 'a = b=641,360,640,360'] })).toEqual([
      'Ada 0 0 640 360',
      'a = b 641 360 640 360',
    ]);
    expect(areas({})).toEqual([]);
  });

  it('divides a picture into equal tiles, from the top left, and leaves out those of nobody.', () => {
    expect(areas({ grid: ['2x2', 'Ada,Ben,,Cleo'] })).toEqual([
      'Ada 0 0 640 360',
      'Ben 640 0 640 360',
      'Cleo 640 360 640 360',
    ]);
    expect(areas({ grid: ['3x1', 'Ada'] })).toEqual(['Ada 0 0 427 720']);
  });

  it.each<TilesRequest>([
    { tiles: ['Ada'] },
    { tiles: ['Ada=1,2,3'] },
    { tiles: ['Ada=1,2,3,4,5'] },
    { tiles: ['Ada=-1,0,10,10'] },
    { tiles: ['Ada=0,0,0,10'] },
    { tiles: ['Ada=0,0,1.5,10'] },
    { tiles: ['Ada=x,0,1,10'] },
    { tiles: ['Ada=1000,0,640,360'] },
    { tiles: [' =0,0,10,10'] },
    { tiles: ['Ada=0,0,10,10', 'Ada=10,0,10,10'] },
    { tiles: ['Ada=0,0,10,10'], grid: ['2x2', 'Ben'] },
    { grid: ['2x2'] },
    { grid: ['0x2', 'Ada'] },
    { grid: ['9x1', 'Ada'] },
    { grid: ['2', 'Ada'] },
    { grid: ['1x1', 'Ada,Ben'] },
    { grid: ['2x1', 'Ada', 'Ben'] },
    { grid: ['2x1', 'Ada,Ada'] },
  ])('refuses $tiles $grid.', (request) => {
    expect(() => toTiles(request, VIDEO)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }) as Error);
  });
});
