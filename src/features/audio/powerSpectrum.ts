import { halfTurn, radixFactors, type SignalKernels } from './kernels/signalKernels.ts';

/** Makes the power spectra of frames of real numbers. */
export type PowerSpectrum = {
  /** The frame, `size` numbers; `compute` overwrites it. */
  readonly frame: Float64Array;
  /** Squared magnitude of bins 0 … size/2 of the discrete Fourier transform; not scaled. */
  readonly power: Float64Array;
  readonly compute: () => void;
};

/** Returns the maker for frames of `size` numbers, a power of two, 8 or more; all of it in the memory of the kernels. */
export function createPowerSpectrum(kernels: SignalKernels, size: number): PowerSpectrum {
  const frame = kernels.doubles(size);
  const scratch = kernels.doubles(size);
  const power = kernels.doubles(size / 2 + 1);
  const factors = radixFactors(kernels, size / 2);
  const turn = halfTurn(kernels, size / 2);
  const [x, y, w, u, to] = [frame, scratch, factors, turn, power].map(({ byteOffset }) => byteOffset) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { frame, power, compute: () => void kernels.run.power(size, x, y, w, u, to) };
}
