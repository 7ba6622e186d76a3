import { KERNEL_HALF } from './correlationPeaks.ts';
import { createCosineTransform } from './cosineTransform.ts';
import { copySamples, type SignalKernels } from './kernels/signalKernels.ts';
import { createPowerSpectrum } from './powerSpectrum.ts';

/** Normalised autocorrelation of windowed frames. */
export type Autocorrelator = {
  /** Samples of the window. */
  readonly size: number;
  /** Index of lag 0 in `r`; before it stand the mirrored values of negative lags. */
  readonly origin: number;
  /** The autocorrelation last computed: 1 at lag 0. Overwritten by the next call of `compute`; in the memory of the kernels. */
  readonly r: Float64Array;
  /**
   * Takes the frame that begins at sample `start`, less `mean`, times a Hanning window (samples outside of the sound are 0);
   * returns its peak within `reach` of its middle.
   */
  load(samples: Float32Array, start: number, mean: number, reach: number): number;
  /** Fills `r` from the frame that was loaded; answers false, leaving `r` alone, when it has no energy. */
  compute(): boolean;
};

/**
 * Returns an autocorrelator for frames of `size` samples and lags up to `maxLag`: autocorrelation of the frame times a
 * Hanning window, divided by the autocorrelation of the window.
 * Source: Boersma (1993), eqs. 7–9. The FFT is the smallest power of two for which what wraps round is below 1e-5 of the
 * window's own autocorrelation.
 */
export function createAutocorrelator(kernels: SignalKernels, size: number, maxLag: number): Autocorrelator {
  const fftSize = fftSizeFor(size, maxLag);
  const spectrum = createPowerSpectrum(kernels, fftSize);
  const transform = createCosineTransform(kernels, fftSize, spectrum.power);
  const { frame } = spectrum;
  const correlation = transform.out;
  const window = kernels.doubles(size);
  window.set(hanning(size));
  const staged = kernels.singles(size);
  const origin = KERNEL_HALF;
  const r = kernels.doubles(origin + maxLag + KERNEL_HALF + 1);
  const lags = maxLag + KERNEL_HALF;

  const correlate = () => {
    spectrum.compute();
    transform.compute();
  };

  frame.set(window);
  correlate();
  const weights = kernels.doubles(lags + 1);
  for (let lag = 0; lag <= lags; lag++) weights[lag] = (correlation[0] ?? 1) / (correlation[lag] ?? 1);
  frame.fill(0);

  return {
    size,
    origin,
    r,
    load: (samples, start, mean, reach) => {
      copySamples(samples, start, staged);
      frame.fill(0, size);
      const place = [window.byteOffset, frame.byteOffset] as const;
      return kernels.run.windowed(staged.byteOffset, size, mean, ...place, size / 2 - reach, size / 2 + reach);
    },
    compute: () => {
      correlate();
      if (!((correlation[0] ?? 0) > 1e-30)) return false;
      const at = r.byteOffset + 8 * origin;
      kernels.run.normalise(correlation.byteOffset, weights.byteOffset, lags, origin, at);
      return true;
    },
  };
}

/** Hanning window that is zero one sample beyond either end. */
function hanning(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (size + 1)));
}

function fftSizeFor(size: number, maxLag: number): number {
  const needed = size + 0.75 * (maxLag + KERNEL_HALF);
  return 2 ** Math.ceil(Math.log2(Math.min(needed, size + maxLag + KERNEL_HALF)));
}
