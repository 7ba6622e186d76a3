import FFT from 'fft.js';

import { createPeakRefiner, KERNEL_HALF, type PeakRefiner } from './correlationPeaks.ts';
import { durationOf, layFrames, localMean, type Sound } from './sampled.ts';

const FLOOR_HZ = 75;
const STEP_S = 0.01;
const SILENCE_THRESHOLD = 0.1;
/** How far below the best sampled maximum an interpolated one may still win. */
const REFINE_MARGIN = 0.15;

/**
 * Measures the mean harmonics-to-noise ratio in dB over the frames that are not silent; undefined when there is none.
 * Noise alone measures about -2 dB, a clear vowel 20 dB.
 */
export type HarmonicityMeter = (sound: Sound) => number | undefined;

/**
 * Returns a meter of the harmonics-to-noise ratio by forward cross-correlation: per 10 ms, a window of one longest period
 * (75 Hz) is compared with later ones; the highest maximum r of the normalised cross-correlation over all lags gives
 * 10 log10(r / (1 - r)). Frames whose peak is below a tenth of the recording's can be silent and then do not count.
 * Source: Boersma (1993), eq. 4; Praat manual, "Sound: To Harmonicity (cc)..." with 0.01 s, 75 Hz, 0.1, 1 period.
 */
export function createHarmonicityMeter(sampleRateHz: number): HarmonicityMeter {
  const correlator = createCrossCorrelator(2 * (Math.floor(Math.floor(sampleRateHz / FLOOR_HZ) / 2) - 1));
  const refiner = createPeakRefiner();
  const period = Math.floor(sampleRateHz / FLOOR_HZ);
  return (sound) => {
    const { samples, peak } = sound;
    const frames = layFrames(durationOf(sound), 2 / FLOOR_HZ, STEP_S);
    let sum = 0;
    let count = 0;
    for (let i = 0; i < frames.count && peak > 0; i++) {
      const timeS = frames.firstS + i * STEP_S;
      const right = Math.floor(timeS * sampleRateHz - 0.5) + 1;
      const start = Math.max(0, Math.floor((timeS - 1 / FLOOR_HZ) * sampleRateHz - 0.5));
      const mean = localMean(samples, right - period, right + period);
      const unvoiced = Math.max(
        0,
        2 - middlePeak(samples, right, mean, correlator.size, period) / peak / SILENCE_THRESHOLD,
      );
      if (unvoiced >= 1) continue;
      correlator.compute(samples, start, mean);
      const r = highestMaximum(correlator, refiner);
      if (r <= unvoiced) continue;
      sum += 10 * Math.log10(r / (1 - r));
      count++;
    }
    return count > 0 ? sum / count : undefined;
  };
}

type CrossCorrelator = {
  readonly size: number;
  readonly r: Float64Array;
  compute(samples: Float32Array, start: number, mean: number): void;
};

/** Correlates `size` samples with those 0 … size later, by one complex FFT (both signals packed) and one real one. */
function createCrossCorrelator(size: number): CrossCorrelator {
  const lags = size + KERNEL_HALF;
  const span = size + lags;
  const fftSize = 2 ** Math.ceil(Math.log2(span));
  const fft = new FFT(fftSize);
  const packed = new Array<number>(2 * fftSize).fill(0);
  const spectrum = fft.createComplexArray();
  const cross = new Array<number>(fftSize).fill(0);
  const correlation = fft.createComplexArray();
  const r = new Float64Array(KERNEL_HALF + lags + 1);
  return {
    size,
    r,
    compute(samples, start, mean) {
      for (let i = 0; i < span; i++) {
        const index = start + i;
        const x = index < samples.length ? (samples[index] ?? 0) - mean : 0;
        packed[2 * i] = i < size ? x : 0;
        packed[2 * i + 1] = x;
      }
      fft.transform(spectrum, packed);
      crossSpectrum(spectrum, cross);
      fft.realTransform(correlation, cross);
      normalise({ packed, correlation, size, lags, fftSize }, r);
    },
  };
}

/**
 * Of the packed spectrum Z = X + iY, the cross spectrum C = X* Y, as the real sequence Re C + Im C: the real and imaginary
 * parts of the FFT of that add up to `fftSize` times the correlation (Hartley), so a real FFT is enough to go back.
 */
function crossSpectrum(spectrum: readonly number[], cross: number[]): void {
  const n = cross.length;
  for (let k = 0; k <= n / 2; k++) {
    const j = (n - k) % n;
    const a = spectrum[2 * k] ?? 0;
    const b = spectrum[2 * k + 1] ?? 0;
    const c = spectrum[2 * j] ?? 0;
    const d = spectrum[2 * j + 1] ?? 0;
    const xr = 0.5 * (a + c);
    const xi = 0.5 * (b - d);
    const yr = 0.5 * (b + d);
    const yi = 0.5 * (c - a);
    const re = xr * yr + xi * yi;
    const im = xr * yi - xi * yr;
    cross[k] = re + im;
    cross[j] = re - im;
  }
}

type Correlation = {
  readonly packed: readonly number[];
  readonly correlation: readonly number[];
  readonly size: number;
  readonly lags: number;
  readonly fftSize: number;
};

function normalise({ packed, correlation, size, lags, fftSize }: Correlation, r: Float64Array): void {
  let energy = 0;
  for (let i = 0; i < size; i++) energy += (packed[2 * i + 1] ?? 0) ** 2;
  let later = energy;
  for (let lag = 0; lag <= lags; lag++) {
    const product = ((correlation[2 * lag] ?? 0) + (correlation[2 * lag + 1] ?? 0)) / fftSize;
    const scale = energy * later;
    const value = scale > 1e-30 ? product / Math.sqrt(scale) : 0;
    r[KERNEL_HALF + lag] = value;
    if (lag <= KERNEL_HALF) r[KERNEL_HALF - lag] = value;
    later = Math.max(0, later + (packed[2 * (lag + size) + 1] ?? 0) ** 2 - (packed[2 * lag + 1] ?? 0) ** 2);
  }
}

/** Largest deviation from the mean within half a longest period of the middle of the frame. */
function middlePeak(samples: Float32Array, right: number, mean: number, size: number, period: number): number {
  const reach = Math.min(Math.floor(period / 2) + 1, size / 2);
  let peak = 0;
  for (let i = Math.max(0, right - reach); i < Math.min(samples.length, right + reach); i++) {
    peak = Math.max(peak, Math.abs((samples[i] ?? 0) - mean));
  }
  return peak;
}

/** Height of the highest positive interpolated maximum after lag 1, below 1; 0 when there is none. */
function highestMaximum({ r, size }: CrossCorrelator, refiner: PeakRefiner): number {
  let sampled = 0;
  for (let i = KERNEL_HALF + 2; i < KERNEL_HALF + size; i++)
    if (isMaximum(r, i)) sampled = Math.max(sampled, r[i] ?? 0);
  let best = 0;
  for (let i = KERNEL_HALF + 2; i < KERNEL_HALF + size && sampled > 0; i++) {
    if ((r[i] ?? 0) < sampled - REFINE_MARGIN || !isMaximum(r, i)) continue;
    refiner.refine(r, i);
    best = Math.max(best, refiner.value > 1 ? 1 / refiner.value : refiner.value);
  }
  return Math.min(best, 1 - 1e-15);
}

function isMaximum(r: Float64Array, i: number): boolean {
  const here = r[i] ?? 0;
  return here > 0 && here > (r[i - 1] ?? 0) && here >= (r[i + 1] ?? 0);
}
