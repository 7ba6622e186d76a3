import { halfTurn, radixFactors, type SignalKernels } from './kernels/signalKernels.ts';

/** Transforms the even real spectrum `bins`, 0 … size/2, into `out[lag]` for lags 0 … size/2 - 1. */
export type CosineTransform = { readonly bins: Float64Array; readonly out: Float64Array; readonly compute: () => void };

/**
 * Returns the discrete Fourier transform of real sequences of length `size` that are even, such as power spectra; it is real
 * and even too. `size` is a power of two, 8 or more. Not scaled. `bins`: in the memory of the kernels.
 */
export function createCosineTransform(
  kernels: SignalKernels,
  size: number,
  bins: Float64Array = kernels.doubles(size / 2 + 1),
): CosineTransform {
  const half = size / 2;
  const out = kernels.doubles(half);
  const scratch = [kernels.doubles(half), kernels.doubles(half)];
  const factors = radixFactors(kernels, half / 2);
  const turn = halfTurn(kernels, half / 2);
  const folds = kernels.doubles(2 * half);
  for (let k = 0; k < half; k++) {
    folds[2 * k] = 2 * Math.sin((Math.PI * k) / half);
    folds[2 * k + 1] = 2 * Math.cos((Math.PI * k) / half);
  }
  const places = [bins, ...scratch, factors, turn, folds, out].map(({ byteOffset }) => byteOffset);
  return { bins, out, compute: () => void kernels.run.cosine(half, ...places) };
}
