import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { createMediapipeExtractor } from '../../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import type { Sighting, VisionExtractor } from '../../../../src/adapter.ts';
import { BODY_COLUMNS } from '../../../../src/features/body/bodyFrame.ts';
import { createMediaFolder, type MediaFolder } from '../../../support/mediaFiles.ts';

const CALL = fileURLToPath(new URL('../../../../fixtures/call/ada.mp4', import.meta.url));
const SHOULDER_WIDTH = BODY_COLUMNS.indexOf('shoulderWidth');
const SHOULDER_Y = BODY_COLUMNS.indexOf('shoulderY');

let folder: MediaFolder;
let extractor: VisionExtractor;
beforeAll(() => {
  folder = createMediaFolder();
  extractor = createMediapipeExtractor({ models: { body: buildPoseTask }, threads: 1 });
});
afterAll(async () => {
  await extractor.close();
  folder.remove();
});

/** One second and a half of the bundled call, made into another file. */
const film = (name: string, args: readonly string[], input: readonly string[] = []): string =>
  folder.make(name, [...input, '-i', CALL, '-an', '-t', '1.5', ...args]);

async function bodiesOf(path: string, width = 320, height = 240): Promise<Sighting[]> {
  const stream = await extractor.open({ modalities: ['body'] });
  const seen: Sighting[] = [];
  const selection = { framesPerSecond: 10, width, height, format: 'rgba' } as const;
  for await (const { pixels, ...picture } of createFfmpegReader().decodeVideo(path, selection))
    seen.push(...(await stream.examine({ ...picture, rgba: pixels })));
  stream.close();
  return seen;
}

function meanOf(seen: readonly Sighting[], column: number): number {
  const values = seen.flatMap((one) => ('row' in one ? [one.row[column] ?? NaN] : []));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('bodies in odd videos', () => {
  it('are upright in a film that a telephone took on its side and that says so', async () => {
    const turned = film('turned.mp4', ['-vf', 'transpose=2']);
    const tagged = folder.make('tagged.mp4', ['-i', turned, '-c', 'copy', '-metadata:s:v:0', 'rotate=270']);
    const [straight, righted] = [await bodiesOf(film('straight.mp4', [])), await bodiesOf(tagged)];
    expect(righted.every((one) => 'row' in one)).toBe(true);
    expect(righted).toHaveLength(straight.length);
    for (const column of [SHOULDER_WIDTH, SHOULDER_Y])
      expect(meanOf(righted, column)).toBeCloseTo(meanOf(straight, column), 1);
  });

  it('come ten a second from a film of variable frame rate', async () => {
    const uneven = film('uneven.mp4', ['-vf', "select='lt(mod(n,7),2)+eq(mod(n,7),4)'", '-vsync', 'vfr']);
    const seen = await bodiesOf(uneven);
    expect(seen.map(({ atMs }) => atMs)).toEqual(seen.map((_, i) => i * 100));
    expect(seen.length).toBeGreaterThanOrEqual(13);
    for (const one of seen) expect('row' in one && one.row.every(Number.isFinite)).toBe(true);
  });

  it('are low_light in a black film, and there again once there is light', async () => {
    const dark = film('dark.mp4', ['-vf', "drawbox=color=black:t=fill:enable='between(t,0.45,0.95)'"]);
    const seen = (await bodiesOf(dark)).map((one) => ('reason' in one ? one.reason : 'row'));
    expect(seen.slice(6, 9)).toEqual(['low_light', 'low_light', 'low_light']);
    expect(seen.slice(0, 3)).toEqual(['row', 'row', 'row']);
    expect(seen.slice(-3)).toEqual(['row', 'row', 'row']);
  });
});
