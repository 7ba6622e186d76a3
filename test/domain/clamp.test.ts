import { describe, expect, it } from 'vitest';
import { clamp, clampSamples } from '../../src/domain/clamp.ts';

describe('clamp', () => {
  it.each([
    ['what lies between the bounds as it is', 3, 3],
    ['the lower bound for what lies below', -9, 2],
    ['the upper bound for what lies above', 9, 5],
    ['the lower bound for what is endlessly small', -Infinity, 2],
    ['the upper bound for what is endlessly large', Infinity, 5],
    ['the lower bound for what is no number', Number.NaN, 2],
  ])('gives %s', (_, value, expected) => {
    expect(clamp(value, 2, 5)).toBe(expected);
  });
});

describe('clampSamples', () => {
  it('keeps a copy of sound within full scale, and takes what is no number for silence', () => {
    const samples = Float32Array.of(0.5, -0.25, 2, -Infinity, Infinity, Number.NaN);
    expect([...clampSamples(samples)]).toEqual([0.5, -0.25, 1, -1, 1, 0]);
    expect(samples[2]).toBe(2);
  });
});
