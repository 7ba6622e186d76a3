import { describe, expect, it } from 'vitest';

import { createIntensityMeter, meanIntensityDb } from '../../../src/features/audio/intensity.ts';
import { toSound } from '../../../src/features/audio/sampled.ts';

const RATE_HZ = 16_000;
const measure = createIntensityMeter(RATE_HZ, 100);

describe('createIntensityMeter', () => {
  it('measures a tone steadily, at the mean of its square over 4e-10 Pa², whatever its offset.', () => {
    const samples = Float32Array.from(
      { length: RATE_HZ },
      (_, i) => 0.4 + 0.1 * Math.sin((2 * Math.PI * 500 * i) / RATE_HZ),
    );
    const { frames, values } = measure(toSound(samples, RATE_HZ));
    expect(frames.stepS).toBeCloseTo(0.008, 12);
    for (const db of values) expect(db).toBeCloseTo(10 * Math.log10(0.005 / 4e-10), 2);
  });

  it('measures digital silence at -300 dB and has no frame for less than 64 ms.', () => {
    expect([...measure(toSound(new Float32Array(1024), RATE_HZ)).values]).toEqual([-300]);
    expect(measure(toSound(new Float32Array(1023), RATE_HZ)).values).toHaveLength(0);
  });

  it('follows a step in level within its window of 64 ms.', () => {
    const samples = Float32Array.from({ length: RATE_HZ }, (_, i) => (i < 8000 ? 0.01 : 0.1) * Math.sin(i / 3));
    const { frames, values } = measure(toSound(samples, RATE_HZ));
    values.forEach((db, i) => {
      const timeS = frames.firstS + i * frames.stepS;
      if (Math.abs(timeS - 0.5) > 0.033)
        expect(db).toBeCloseTo(10 * Math.log10((timeS < 0.5 ? 5e-5 : 5e-3) / 4e-10), 1);
    });
  });
});

describe('meanIntensityDb', () => {
  it('averages energy, not decibels.', () => {
    const frames = { count: 2, firstS: 0, stepS: 1 };
    expect(meanIntensityDb({ frames, values: Float64Array.of(60, 70) })).toBeCloseTo(10 * Math.log10(5.5e6), 9);
  });
});
