import { createPeakRefiner, KERNEL_HALF, type PeakRefiner } from './correlationPeaks.ts';
import {
  copySamples,
  createSignalKernels,
  halfTurn,
  radixFactors,
  type SignalKernels,
} from './kernels/signalKernels.ts';
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
  const kernels = createSignalKernels();
  const correlator = createCrossCorrelator(kernels, 2 * (Math.floor(Math.floor(sampleRateHz / FLOOR_HZ) / 2) - 1));
  const refiner = createPeakRefiner(kernels);
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
function createCrossCorrelator(kernels: SignalKernels, size: number): CrossCorrelator {
  const lags = size + KERNEL_HALF;
  const span = size + lags;
  const fftSize = 2 ** Math.ceil(Math.log2(span));
  const staged = kernels.singles(span);
  const packed = kernels.doubles(2 * fftSize);
  const [x, y] = [kernels.doubles(2 * fftSize), kernels.doubles(2 * fftSize)];
  const [cross, scratch] = [kernels.doubles(fftSize), kernels.doubles(fftSize)];
  const factors = radixFactors(kernels, fftSize).byteOffset;
  const halfFactors = radixFactors(kernels, fftSize / 2).byteOffset;
  const turn = halfTurn(kernels, fftSize / 2).byteOffset;
  const r = kernels.doubles(KERNEL_HALF + lags + 1);
  const { run } = kernels;
  return {
    size,
    r,
    compute(samples, start, mean) {
      copySamples(samples, start, staged);
      run.pack(fftSize, size, Math.min(span, samples.length - start), staged.byteOffset, mean, packed.byteOffset);
      x.set(packed);
      run.cross(fftSize, run.fft(fftSize, x.byteOffset, y.byteOffset, factors), cross.byteOffset);
      const z = run.fft(fftSize / 2, cross.byteOffset, scratch.byteOffset, halfFactors);
      const to = r.byteOffset + 8 * KERNEL_HALF;
      run.normaliseCross(packed.byteOffset, z, fftSize / 2, turn, size, lags, KERNEL_HALF, to);
    },
  };
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
