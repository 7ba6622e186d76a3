import { describe, expect, it } from 'vitest';

import { createArticulationMeter } from '../../../src/features/audio/articulation.ts';
import { toSound } from '../../../src/features/audio/sampled.ts';
import { toSounding } from '../../../src/features/audio/sounding.ts';

const RATE_HZ = 16_000;
const measure = createArticulationMeter(RATE_HZ);

/** `perSecond` bursts of voice (150 Hz) or of hiss, silent from `quietFromS` to `quietToS`. */
function bursts(
  perSecond: number,
  seconds: number,
  options: { quietFromS?: number; quietToS?: number; hiss?: boolean } = {},
): Float32Array {
  const { quietFromS = 0, quietToS = 0, hiss = false } = options;
  let state = 5;
  return Float32Array.from({ length: Math.round(seconds * RATE_HZ) }, (_, i) => {
    const t = i / RATE_HZ;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const carrier = hiss
      ? state / 2 ** 31 - 1
      : Math.sin(2 * Math.PI * 150 * t) + 0.5 * Math.sin(2 * Math.PI * 300 * t);
    const isQuiet = t >= quietFromS && t < quietToS;
    return (isQuiet ? 0.0002 : 0.3) * (0.08 + Math.sin(Math.PI * perSecond * t) ** 2) * carrier;
  });
}

describe('createArticulationMeter', () => {
  it.each([3, 4, 5])('counts %i bursts a second, less the last.', (perSecond) => {
    expect(measure(toSound(bursts(perSecond, 2), RATE_HZ))).toBeCloseTo((2 * perSecond - 1) / 2, 6);
  });

  it('divides by sounding time, so a long pause changes little.', () => {
    const rate = measure(toSound(bursts(4, 3, { quietFromS: 1, quietToS: 2 }), RATE_HZ)) ?? 0;
    // Eight bursts less the last in about two seconds, where speech alone would give 11 in three.
    expect(rate).toBeGreaterThan(3);
    expect(rate).toBeLessThan(4.2);
  });

  it('does not count unvoiced bursts.', () => {
    expect(measure(toSound(bursts(4, 2, { hiss: true }), RATE_HZ))).toBeUndefined();
  });

  it('is undefined for one burst and for less than 128 ms.', () => {
    expect(measure(toSound(bursts(1, 1), RATE_HZ))).toBeUndefined();
    expect(measure(toSound(bursts(20, 0.127), RATE_HZ))).toBeUndefined();
  });
});

describe('toSounding', () => {
  const contour = (values: number[]) => ({
    frames: { count: values.length, firstS: 0.05, stepS: 0.1 },
    values: Float64Array.from(values),
  });

  it('cuts at the first frame after a change of state.', () => {
    expect(toSounding(contour([0, 0, 0, 9, 9, 9, 0, 0, 0, 0]), 1, 5)).toEqual([
      { startS: expect.closeTo(0.35, 9), endS: expect.closeTo(0.65, 9) },
    ]);
  });

  it('joins sound over pauses shorter than 0.3 s.', () => {
    expect(toSounding(contour([9, 9, 9, 0, 0, 9, 9, 9, 9, 9]), 1, 5)).toEqual([{ startS: 0, endS: 1 }]);
    expect(toSounding(contour([9, 9, 9, 0, 0, 0, 0, 9, 9, 9]), 1, 5)).toHaveLength(2);
  });

  it('drops sound shorter than 0.1 s before it looks at the pauses.', () => {
    const fine = {
      frames: { count: 20, firstS: 0.025, stepS: 0.05 },
      values: new Float64Array(20).fill(0).fill(9, 8, 9).fill(9, 14, 20),
    };
    expect(toSounding(fine, 1, 5)).toEqual([{ startS: expect.closeTo(0.725, 9), endS: 1 }]);
  });

  it('takes all of a sound that is loud throughout or shorter than a pause.', () => {
    expect(toSounding(contour([9, 9, 9, 9]), 0.4, 5)).toEqual([{ startS: 0, endS: 0.4 }]);
    expect(toSounding(contour([0, 0]), 0.2, 5)).toEqual([{ startS: 0, endS: 0.2 }]);
    expect(toSounding(contour([0, 0, 0, 0]), 0.4, 5)).toEqual([]);
  });
});
