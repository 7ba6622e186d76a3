import { describe, expect, it } from 'vitest';

import { createAutocorrelator } from '../../../src/features/audio/autocorrelation.ts';
import { KERNEL_HALF } from '../../../src/features/audio/correlationPeaks.ts';
import { createSignalKernels } from '../../../src/features/audio/kernels/signalKernels.ts';
import { createPitchMeter, SPEECH_PITCH } from '../../../src/features/audio/pitch.ts';
import { toSound } from '../../../src/features/audio/sampled.ts';

const RATE_HZ = 16_000;

function pulses(hz: number, seconds: number): Float32Array {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => {
    let sum = 0;
    for (let h = 1; h * hz < 4000; h++) sum += Math.cos((2 * Math.PI * h * hz * i) / RATE_HZ);
    return sum / 60;
  });
}

describe('createPitchMeter', () => {
  const meter = createPitchMeter(RATE_HZ, SPEECH_PITCH);

  it.each([80, 123.4, 250, 433, 590])('measures pulses at %s Hz in every frame.', (hz) => {
    const { values } = meter.track(toSound(pulses(hz, 0.5), RATE_HZ));
    expect(values).toHaveLength(47);
    for (const value of values) expect(Math.abs(value / hz - 1)).toBeLessThan(2e-3);
  });

  it('is unvoiced below the floor of 75 Hz and above the ceiling of 600 Hz.', () => {
    const above = Float32Array.from({ length: 8000 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 2900 * i) / RATE_HZ));
    const { values } = meter.track(toSound(above, RATE_HZ));
    for (const value of values) expect(value).toBeLessThanOrEqual(600);
    expect(
      createPitchMeter(RATE_HZ, { ...SPEECH_PITCH, floorHz: 150 })
        .track(toSound(pulses(80, 0.5), RATE_HZ))
        .values.some((hz) => hz > 0 && hz < 149),
    ).toBe(false);
  });

  it('is voiced where there is sound and unvoiced in the silence after it.', () => {
    const samples = new Float32Array(RATE_HZ);
    samples.set(pulses(200, 0.5));
    const { frames, values } = meter.track(toSound(samples, RATE_HZ));
    values.forEach((hz, i) => {
      const timeS = frames.firstS + i * frames.stepS;
      if (timeS < 0.48) expect(hz).toBeCloseTo(200, 0);
      if (timeS > 0.52) expect(hz).toBe(0);
    });
  });

  it('tracks only the frames asked for, the same as in the whole.', () => {
    const sound = toSound(pulses(200, 0.5), RATE_HZ);
    const part = meter.track(sound, 10, 20).values;
    expect(part.slice(10, 20)).toEqual(meter.track(sound).values.slice(10, 20));
    expect([...part.slice(0, 10), ...part.slice(20)].every((hz) => hz === 0)).toBe(true);
    expect(meter.track(sound, 20, 20).values.every((hz) => hz === 0)).toBe(true);
  });

  it('has no frames for less than three periods of the floor.', () => {
    expect(meter.track(toSound(pulses(200, 0.0399), RATE_HZ)).values).toHaveLength(0);
  });
});

describe('createAutocorrelator', () => {
  it.each([
    [638, 214],
    [1598, 534],
  ])('equals the quotient of the slow sums for a window of %i samples.', (size, maxLag) => {
    const correlator = createAutocorrelator(createSignalKernels(), size, maxLag);
    const signal = Float32Array.from({ length: size + 2 }, (_, i) => Math.sin(i / 9) + 0.4 * Math.sin(i * i));
    const window = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (size + 1)),
    );
    const windowed = window.map((w, i) => w * ((signal[i + 1] ?? 0) - 0.25));
    const slow = (values: Float64Array, lag: number) =>
      values.slice(0, size - lag).reduce((sum, x, i) => sum + x * (values[i + lag] ?? 0), 0) /
      values.reduce((sum, x) => sum + x * x, 0);
    const middle = windowed.subarray(size / 2 - 50, size / 2 + 50).map(Math.abs);
    expect(correlator.load(signal, 1, 0.25, 50)).toBeCloseTo(Math.max(...middle), 12);
    expect(correlator.compute()).toBe(true);
    // Lags that wrap round in the shorter FFT: 1e-4.
    for (const lag of [0, 1, 57, 100, maxLag]) {
      expect(correlator.r[correlator.origin + lag]).toBeCloseTo(slow(windowed, lag) / slow(window, lag), 3);
      expect(correlator.r[correlator.origin - Math.min(lag, KERNEL_HALF)]).toBe(
        correlator.r[correlator.origin + Math.min(lag, KERNEL_HALF)],
      );
    }
  });

  it('answers false for a frame without energy.', () => {
    const correlator = createAutocorrelator(createSignalKernels(), 638, 214);
    expect(correlator.compute()).toBe(false);
    expect(correlator.load(new Float32Array(1_000).fill(0.5), 0, 0.5, 10)).toBe(0);
    expect(correlator.compute()).toBe(false);
  });

  it('takes what lies outside of the sound for silence, and remembers nothing of the frame before.', () => {
    const correlator = createAutocorrelator(createSignalKernels(), 638, 214);
    const sound = pulses(150, 0.06);
    const padded = new Float32Array(2_000);
    padded.set(sound, 500);
    correlator.load(padded, 300, 0, 10);
    correlator.compute();
    const expected = correlator.r.slice();
    correlator.load(sound, 400, 0, 10);
    correlator.compute();
    expect(correlator.r).not.toEqual(expected);
    correlator.load(sound, -200, 0, 10);
    correlator.compute();
    expect(correlator.r).toEqual(expected);
  });
});
