import FFT from 'fft.js';

import { KERNEL_HALF } from './correlationPeaks.ts';
import { createCosineTransform } from './cosineTransform.ts';

/** Normalised autocorrelation of windowed frames. */
export type Autocorrelator = {
  /** Samples of the window. */
  readonly size: number;
  /** Index of lag 0 in `r`; before it stand the mirrored values of negative lags. */
  readonly origin: number;
  /** The autocorrelation last computed: 1 at lag 0. Overwritten by the next call of `compute`. */
  readonly r: Float64Array;
  /** Frame last windowed, to be filled by the caller before `compute`; the part past `size` stays zero. */
  readonly frame: number[];
  readonly window: Float64Array;
  /** Fills `r` from `frame`; answers false, leaving `r` alone, when the frame has no energy. */
  compute(): boolean;
};

/**
 * Returns an autocorrelator for frames of `size` samples and lags up to `maxLag`: autocorrelation of the frame times a
 * Hanning window, divided by the autocorrelation of the window.
 * Source: Boersma (1993), eqs. 7–9. The FFT is the smallest power of two for which what wraps round is below 1e-5 of the
 * window's own autocorrelation.
 */
export function createAutocorrelator(size: number, maxLag: number): Autocorrelator {
  const fftSize = fftSizeFor(size, maxLag);
  const fft = new FFT(fftSize);
  const spectrum = fft.createComplexArray();
  const power = new Float64Array(fftSize / 2 + 1);
  const correlation = new Float64Array(fftSize / 2);
  const toCorrelation = createCosineTransform(fftSize);
  const frame = new Array<number>(fftSize).fill(0);
  const window = hanning(size);
  const origin = KERNEL_HALF;
  const r = new Float64Array(origin + maxLag + KERNEL_HALF + 1);
  const lags = maxLag + KERNEL_HALF;

  const correlate = () => {
    fft.realTransform(spectrum, frame);
    for (let k = 0; k <= fftSize / 2; k++) power[k] = (spectrum[2 * k] ?? 0) ** 2 + (spectrum[2 * k + 1] ?? 0) ** 2;
    toCorrelation(power, correlation);
  };

  for (let i = 0; i < size; i++) frame[i] = window[i] ?? 0;
  correlate();
  const weights = Float64Array.from({ length: lags + 1 }, (_, lag) => (correlation[0] ?? 1) / (correlation[lag] ?? 1));
  frame.fill(0);

  const compute = () => {
    correlate();
    const energy = correlation[0] ?? 0;
    if (!(energy > 1e-30)) return false;
    for (let lag = 0; lag <= lags; lag++) {
      const value = ((correlation[lag] ?? 0) * (weights[lag] ?? 0)) / energy;
      r[origin + lag] = value;
      if (lag <= origin) r[origin - lag] = value;
    }
    return true;
  };
  return { size, origin, r, frame, window, compute };
}

/** Hanning window that is zero one sample beyond either end. */
function hanning(size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (size + 1)));
}

function fftSizeFor(size: number, maxLag: number): number {
  const needed = size + 0.75 * (maxLag + KERNEL_HALF);
  return 2 ** Math.ceil(Math.log2(Math.min(needed, size + maxLag + KERNEL_HALF)));
}
