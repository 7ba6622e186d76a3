import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  deviationOf,
  interpolateCubic,
  layFrames,
  localMean,
  meanOf,
  parabolicExtremum,
  quantile,
  toSound,
} from '../../../src/features/audio/sampled.ts';

describe('toSound', () => {
  it('takes the peak from the mean, so an offset adds nothing.', () => {
    expect(toSound(Float32Array.of(0.5, 0.75, 0.25, 0.5), 16_000).peak).toBe(0.25);
  });

  it('has peak 0 for a constant and for no samples, and no finite peak for a sample that is not a number.', () => {
    expect(toSound(new Float32Array(9).fill(0.5), 16_000).peak).toBe(0);
    expect(toSound(new Float32Array(0), 16_000).peak).toBe(0);
    expect(toSound(Float32Array.of(0, Number.NaN), 16_000).peak).toBeNaN();
  });
});

describe('layFrames', () => {
  it('centres as many frames as fit.', () => {
    const { count, firstS, stepS } = layFrames(1, 0.04, 0.01);
    expect(count).toBe(97);
    expect(firstS).toBeCloseTo(0.02, 12);
    expect(firstS + (count - 1) * stepS).toBeCloseTo(0.98, 12);
  });

  it('lays none when the sound is shorter than the window.', () => {
    expect(layFrames(0.0399, 0.04, 0.01).count).toBe(0);
  });

  it('never lays a window over an end.', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 50, noNaN: true }), (durationS) => {
        const { count, firstS, stepS } = layFrames(durationS, 0.064, 0.008);
        expect(count).toBeGreaterThan(0);
        expect(firstS).toBeGreaterThanOrEqual(0.032 - 1e-9);
        expect(firstS + (count - 1) * stepS).toBeLessThanOrEqual(durationS - 0.032 + 1e-9);
      }),
    );
  });
});

describe('parabolicExtremum', () => {
  it('finds the vertex of a sampled parabola.', () => {
    const values = [0, 1, 2, 3, 4].map((x) => 7 - (x - 2.3) ** 2);
    expect(parabolicExtremum(values, 2).index).toBeCloseTo(2.3, 12);
    expect(parabolicExtremum(values, 2).value).toBeCloseTo(7, 12);
  });

  it('returns the sample itself when its neighbours are level with it.', () => {
    expect(parabolicExtremum([4, 4, 4], 1)).toEqual({ index: 1, value: 4 });
  });
});

describe('interpolateCubic', () => {
  it('reproduces samples and, between inner ones, parabolas.', () => {
    const values = Float64Array.from({ length: 8 }, (_, x) => (x - 3.2) ** 2);
    expect(interpolateCubic(values, 4)).toBeCloseTo(0.64, 12);
    expect(interpolateCubic(values, 4.3)).toBeCloseTo(1.21, 12);
  });

  it('holds the first and last value outside.', () => {
    const values = Float64Array.of(1, 2, 5);
    expect([interpolateCubic(values, -3), interpolateCubic(values, 2), interpolateCubic(values, 9)]).toEqual([1, 5, 5]);
  });
});

describe('statistics', () => {
  it('places quantiles at the middles of the order statistics, as Praat does.', () => {
    const values = Float64Array.of(30, 10, 20, 40);
    expect([0, 0.25, 0.5, 0.99, 1].map((q) => quantile(values, q))).toEqual([10, 15, 25, 40, 40]);
    expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
  });

  it('divides the variance by n.', () => {
    expect(meanOf([2, 4, 4, 4, 5, 5, 7, 9])).toBe(5);
    expect(deviationOf([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2);
  });

  it('clips the span of a local mean to the sound.', () => {
    const samples = Float32Array.of(1, 2, 3, 4);
    expect([localMean(samples, -5, 2), localMean(samples, 2, 99), localMean(samples, 9, 12)]).toEqual([1.5, 3.5, 0]);
  });
});
