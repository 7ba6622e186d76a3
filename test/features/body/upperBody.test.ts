import { describe, expect, it } from 'vitest';
import { BODY_JOINTS, isPlausible, type PoseLandmark, toUpperBody } from '../../../src/features/body/upperBody.ts';

/** Landmark `i` at x = i, y = 2i, z = 3i hundredths, all visible. */
const pose = (change: Readonly<Record<number, Partial<PoseLandmark>>> = {}): PoseLandmark[] =>
  Array.from({ length: 33 }, (_, i) => ({ x: i / 100, y: i / 50, z: (3 * i) / 100, visibility: 1, ...change[i] }));

describe('toUpperBody', () => {
  it('finds the eight joints where MediaPipe puts them.', () => {
    const body = toUpperBody(pose(), 1);
    expect(Object.keys(body).toSorted()).toEqual([...BODY_JOINTS].toSorted());
    expect(BODY_JOINTS.map((joint) => Math.round(100 * body[joint]!.x))).toEqual([11, 12, 13, 14, 15, 16, 23, 24]);
  });

  it('measures in picture heights: x and z, which are in widths, are stretched by the aspect.', () => {
    const { leftShoulder } = toUpperBody(pose(), 2);
    expect(leftShoulder!.x).toBeCloseTo(0.22, 9);
    expect(leftShoulder!.y).toBeCloseTo(0.22, 9);
    expect(leftShoulder!.z).toBeCloseTo(0.66, 9);
  });

  it('never reads a landmark of the head.', () => {
    const landmarks = pose();
    for (let i = 0; i <= 10; i++)
      Object.defineProperty(landmarks, i, {
        get: () => {
          throw new Error(`landmark ${i} was read`);
        },
      });
    expect(toUpperBody(landmarks, 1)).toEqual(toUpperBody(pose(), 1));
  });

  it('leaves out a joint whose visibility is below one half, absent or not a number.', () => {
    const body = toUpperBody(
      pose({
        13: { visibility: 0.49 },
        14: { visibility: 0.5 },
        15: { visibility: undefined },
        16: { visibility: NaN },
      }),
      1,
    );
    expect([body.leftElbow, body.leftWrist, body.rightWrist]).toEqual([undefined, undefined, undefined]);
    expect(body.rightElbow).toBeDefined();
  });

  it('leaves out a joint whose position is not finite or absurd, and keeps one just outside the picture.', () => {
    const body = toUpperBody(pose({ 13: { x: NaN }, 14: { y: Infinity }, 15: { z: 1e9 }, 16: { x: -0.2 } }), 1);
    expect([body.leftElbow, body.rightElbow, body.leftWrist]).toEqual([undefined, undefined, undefined]);
    expect(body.rightWrist!.x).toBe(-0.2);
  });

  it('refuses another number of landmarks and an aspect that is not a positive number.', () => {
    expect(() => toUpperBody([], 1)).toThrow(new RangeError('landmarks must be 33, got 0'));
    for (const aspect of [0, -1, NaN, Infinity])
      expect(() => toUpperBody(pose(), aspect)).toThrow(new RangeError(`aspect must be positive, got ${aspect}`));
  });
});

describe('isPlausible', () => {
  it('accepts what is within a hundred picture heights on every axis.', () => {
    expect(isPlausible({ x: 100, y: -100, z: 0 })).toBe(true);
    for (const place of [
      { x: 101, y: 0, z: 0 },
      { x: 0, y: NaN, z: 0 },
      { x: 0, y: 0, z: -Infinity },
    ])
      expect(isPlausible(place)).toBe(false);
  });
});
