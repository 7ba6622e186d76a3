import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSignalKernels } from '../../../src/features/audio/kernels/signalKernels.ts';
import { createPeakRefiner, KERNEL_HALF } from '../../../src/features/audio/correlationPeaks.ts';

describe('createPeakRefiner', () => {
  it('finds place and height of the maxima of band-limited signals between samples.', () => {
    const kernels = createSignalKernels();
    const refiner = createPeakRefiner(kernels);
    const values = kernels.doubles(120);
    // Periods of 3 samples and more: below two thirds of half the sample rate the 48 taps are exact to 1e-4.
    fc.assert(
      fc.property(
        fc.double({ min: 3, max: 60, noNaN: true }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        (period, offset) => {
          const top = 60 + offset;
          for (let i = 0; i < values.length; i++) values[i] = 0.8 * Math.cos((2 * Math.PI * (i - top)) / period);
          refiner.refine(values, 60);
          expect(Math.abs(refiner.index - top)).toBeLessThan(0.01);
          expect(Math.abs(refiner.value - 0.8)).toBeLessThan(2e-4);
        },
      ),
    );
  });

  it('needs no sample further away than its kernel.', () => {
    const kernels = createSignalKernels();
    const refiner = createPeakRefiner(kernels);
    const values = kernels.doubles(2 * KERNEL_HALF + 3);
    for (let i = 0; i < values.length; i++) values[i] = Math.cos((i - KERNEL_HALF - 1.25) / 3);
    refiner.refine(values, KERNEL_HALF + 1);
    expect(refiner.index).toBeCloseTo(KERNEL_HALF + 1.25, 2);
    expect(Number.isFinite(refiner.value)).toBe(true);
  });

  it('stays where it is on a plateau.', () => {
    const kernels = createSignalKernels();
    const refiner = createPeakRefiner(kernels);
    refiner.refine(kernels.doubles(80), 40);
    expect([refiner.index, refiner.value]).toEqual([40, 0]);
  });
});
