import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLACK_LEVEL, createCameraWatch } from '../../../src/app/replay/cameraActivity.ts';
import { pictureOf } from './fakeMedia.ts';

/** What the watch says of pictures of these brightnesses, half a second apart. */
function changes(levels: readonly number[]): readonly string[] {
  const watch = createCameraWatch();
  return levels.flatMap((level, index) => {
    const change = watch(pictureOf(index * 500, level));
    return change ? [`${change.atMs} ${change.isOn ? 'on' : 'off'}`] : [];
  });
}

describe('createCameraWatch', () => {
  it('says at the first picture whether the camera is on.', () => {
    expect(changes([200])).toEqual(['0 on']);
    expect(changes([0])).toEqual(['0 off']);
  });

  it('takes two dark pictures in a row for a camera that went off, at the time of the first of them.', () => {
    expect(changes([200, 200, 0, 0, 0, 200, 200])).toEqual(['0 on', '1000 off', '2500 on']);
  });

  it('does not take a single dark picture, a cut or a blink, for a camera that went off.', () => {
    expect(changes([200, 0, 200, 0, 200])).toEqual(['0 on']);
  });

  it('takes sensor noise up to the black level for black, and one step more for a picture.', () => {
    expect(changes([BLACK_LEVEL])).toEqual(['0 off']);
    expect(changes([BLACK_LEVEL + 1])).toEqual(['0 on']);
  });

  it('does not take a logo of up to one pixel in a hundred on black for a picture.', () => {
    const watch = createCameraWatch();
    expect(watch(pictureOf(0, 255, 5))?.isOn).toBe(false);
    expect(createCameraWatch()(pictureOf(0, 255, 6))?.isOn).toBe(true);
  });

  it('alternates on and off, and never says a time that goes back.', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 200), { minLength: 1, maxLength: 60 }), (levels) => {
        const said = changes(levels).map((change) => change.split(' '));
        for (const [index, [atMs, state]] of said.entries()) {
          const [beforeMs, before] = said[index - 1] ?? ['-1', ''];
          expect(state).not.toBe(before);
          expect(Number(atMs)).toBeGreaterThan(Number(beforeMs));
        }
      }),
    );
  });
});
