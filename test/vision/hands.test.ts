import { describe, expect, it } from 'vitest';
import type { PoseLandmark } from '../../src/features/body/upperBody.ts';
import { isCovered, toHands } from '../../src/vision/hands.ts';

/** A pose of which only some landmarks may be read. */
function pose(given: Readonly<Record<number, PoseLandmark>>): PoseLandmark[] {
  return Array.from({ length: 33 }, (_, at) => {
    const landmark = given[at];
    if (landmark) return landmark;
    return new Proxy({} as PoseLandmark, {
      get: () => {
        throw new Error(`landmark ${at} was read`);
      },
    });
  });
}

describe('toHands', () => {
  it('reads the knuckles of both index fingers and nothing else', () => {
    const landmarks = pose({
      19: { x: 0.25, y: 0.5, z: 0, visibility: 0.5 },
      20: { x: 0.75, y: 0.25, z: 0, visibility: 1 },
    });
    expect(toHands(landmarks)).toEqual([
      { x: 0.25, y: 0.5 },
      { x: 0.75, y: 0.25 },
    ]);
  });

  it('leaves out a hand that is hidden, uncertain or nowhere', () => {
    const hand = (x: number, visibility?: number): PoseLandmark => ({ x, y: 0.5, z: 0, visibility });
    expect(toHands(pose({ 19: hand(0.5, 0.49), 20: hand(0.5) }))).toEqual([]);
    expect(toHands(pose({ 19: hand(NaN, 1), 20: hand(Infinity, 1) }))).toEqual([]);
    expect(toHands([])).toEqual([]);
  });
});

describe('isCovered', () => {
  const face = { left: 0.4, right: 0.6, top: 0.2, bottom: 0.6 };

  it('is so with a hand on the face or just beside it', () => {
    for (const [x, y] of [
      [0.5, 0.4],
      [0.39, 0.4],
      [0.61, 0.4],
      [0.5, 0.17],
      [0.5, 0.63],
    ] as const)
      expect(isCovered(face, [{ x, y }])).toBe(true);
  });

  it('is not with hands further away, or none', () => {
    for (const [x, y] of [
      [0.38, 0.4],
      [0.62, 0.4],
      [0.5, 0.16],
      [0.5, 0.64],
    ] as const)
      expect(isCovered(face, [{ x, y }])).toBe(false);
    expect(isCovered(face, [])).toBe(false);
  });

  it('looks at both hands', () => {
    expect(
      isCovered(face, [
        { x: 0.9, y: 0.9 },
        { x: 0.5, y: 0.5 },
      ]),
    ).toBe(true);
  });
});
