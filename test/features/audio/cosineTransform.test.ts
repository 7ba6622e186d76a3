import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createSignalKernels } from '../../../src/features/audio/kernels/signalKernels.ts';
import { createCosineTransform } from '../../../src/features/audio/cosineTransform.ts';

/** The definition, term by term. */
function slowly(bins: Float64Array, lag: number): number {
  const half = bins.length - 1;
  let sum = (bins[0] ?? 0) + (lag % 2 === 0 ? 1 : -1) * (bins[half] ?? 0);
  for (let k = 1; k < half; k++) sum += 2 * (bins[k] ?? 0) * Math.cos((Math.PI * k * lag) / half);
  return sum;
}

describe('createCosineTransform', () => {
  it.each([8, 64, 1024])('equals the sum of its definition for size %i.', (size) => {
    const transform = createCosineTransform(createSignalKernels(), size);
    const value = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: size / 2 + 1, maxLength: size / 2 + 1 }), (bins) => {
        transform.bins.set(bins);
        transform.compute();
        // Rounding grows with the running sum over the odd lags: size × 1e-16 × the sum of the bins.
        for (const lag of [0, 1, 2, 3, size / 2 - 1])
          expect(transform.out[lag]).toBeCloseTo(slowly(Float64Array.from(bins), lag), 8);
      }),
      { numRuns: 10 },
    );
  });

  it('turns a flat spectrum into an impulse at lag 0.', () => {
    const { bins, out, compute } = createCosineTransform(createSignalKernels(), 32);
    bins.fill(1);
    compute();
    expect(out[0]).toBeCloseTo(32, 10);
    for (const value of out.slice(1)) expect(value).toBeCloseTo(0, 10);
  });
});
