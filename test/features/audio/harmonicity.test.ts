import { describe, expect, it } from 'vitest';

import { createHarmonicityMeter } from '../../../src/features/audio/harmonicity.ts';
import { toSound } from '../../../src/features/audio/sampled.ts';

const RATE_HZ = 16_000;
const measure = createHarmonicityMeter(RATE_HZ);

/** A vowel-like tone with white noise `snrDb` below it. */
function noisy(snrDb: number, seconds = 3): Float32Array {
  let state = 99;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1;
  const toneRms = Math.sqrt(0.5 * (1 + 0.25 + 0.0625)) * 0.2;
  const noiseRms = toneRms / 10 ** (snrDb / 20);
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => {
    const phase = (2 * Math.PI * 160 * i) / RATE_HZ;
    return (
      0.2 * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3 * phase)) +
      noiseRms * Math.sqrt(3) * random()
    );
  });
}

describe('createHarmonicityMeter', () => {
  it.each([5, 10, 20, 30])('measures a periodic sound with noise %i dB below it at about that ratio.', (snrDb) => {
    // The highest of many maxima is a little too high: up to a decibel.
    expect(Math.abs((measure(toSound(noisy(snrDb), RATE_HZ)) ?? 0) - snrDb)).toBeLessThan(1);
  });

  it('measures white noise below 0 dB.', () => {
    const ratio = measure(toSound(noisy(-60), RATE_HZ)) ?? 0;
    expect(ratio).toBeLessThan(0);
    expect(ratio).toBeGreaterThan(-8);
  });

  it('leaves silent frames out of the mean.', () => {
    const speech = noisy(20, 1);
    const padded = new Float32Array(3 * RATE_HZ);
    padded.set(speech, RATE_HZ);
    const difference = (measure(toSound(padded, RATE_HZ)) ?? 0) - (measure(toSound(speech, RATE_HZ)) ?? 0);
    // The frames at the two edges count; the 200 silent ones would bring 20 dB down below 7.
    expect(Math.abs(difference)).toBeLessThan(1);
  });

  it('is undefined for silence and for less than two periods of 75 Hz.', () => {
    expect(measure(toSound(new Float32Array(RATE_HZ), RATE_HZ))).toBeUndefined();
    expect(measure(toSound(noisy(20, 1).subarray(0, 420), RATE_HZ))).toBeUndefined();
  });
});
