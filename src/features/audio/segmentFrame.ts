import { createCosineTransform } from './cosineTransform.ts';
import { copySamples, createSignalKernels } from './kernels/signalKernels.ts';
import { createMelBank } from './melBank.ts';
import { createPowerSpectrum } from './powerSpectrum.ts';
import { createSpectralShape, SHAPE_COLUMNS } from './spectralShape.ts';

/** Mel-frequency cepstral coefficients per frame. */
export const CEPSTRUM_SIZE = 13;

const FFT_SIZE = 1024;
/** 36 ms: two and a half periods of 70 Hz. */
const WINDOW_SIZE = 576;
const FLOOR_HZ = 70;
const CEILING_HZ = 500;
/** Correlation at which a frame counts as voiced. */
const VOICED = 0.5;
/** A shorter lag wins when its maximum is this close to the highest one: against octave errors downwards. */
const OCTAVE_TOLERANCE = 0.9;
/** Mean power below which a frame is silent: -90 dB re full scale. */
const SILENT_POWER = 1e-9;

/** The measures of one frame of 36 ms. All are 0 when it is silent, but for `energyDb`, which is -90 then. */
export type SegmentFrame = {
  energyDb: number;
  /** Height of the normalised autocorrelation at the period, in [0, 1]. */
  voicing: number;
  /** Semitones re 100 Hz; 0 when not voiced. */
  semitones: number;
  isVoiced: boolean;
  readonly cepstrum: Float64Array;
  readonly shape: Float64Array;
};

/** Measures frames of one sound after another. */
export type SegmentFrames = {
  /** Another sound begins: its first frame has none before it. */
  restart(): void;
  /** Measures the frame around sample `centre`; samples outside the sound are 0. Its result is overwritten by the next call. */
  measure(samples: Float32Array, centre: number): SegmentFrame;
};

/**
 * Returns a measurer of consecutive frames of one sound (flux compares with the frame before): one FFT of the Hanning
 * window gives the cepstrum, the shape and, transformed back, the autocorrelation for the pitch (70–500 Hz).
 */
export function createSegmentFrames(sampleRateHz: number): SegmentFrames {
  const kernels = createSignalKernels();
  const spectrum = createPowerSpectrum(kernels, FFT_SIZE);
  const { power } = spectrum;
  const transform = createCosineTransform(kernels, FFT_SIZE, power);
  const window = kernels.doubles(WINDOW_SIZE);
  for (let i = 0; i < WINDOW_SIZE; i++) window[i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW_SIZE);
  const staged = kernels.singles(WINDOW_SIZE);
  const toCepstrum = createMelBank(sampleRateHz, FFT_SIZE, CEPSTRUM_SIZE);
  const toShape = createSpectralShape(sampleRateHz, power.length);
  spectrum.frame.set(window);
  spectrum.compute();
  transform.compute();
  const toPitch = createFramePitch(sampleRateHz, transform.out.slice());
  power.fill(0);
  const previous = new Float64Array(power.length);
  const frame: SegmentFrame = {
    energyDb: 0,
    voicing: 0,
    semitones: 0,
    isVoiced: false,
    cepstrum: new Float64Array(CEPSTRUM_SIZE),
    shape: new Float64Array(SHAPE_COLUMNS.length),
  };
  return {
    restart: () => void power.fill(0),
    measure: (samples, centre) => {
      previous.set(power);
      copySamples(samples, centre - WINDOW_SIZE / 2, staged);
      const { mean, power: meanPower } = momentsOf(staged);
      if (!(meanPower > SILENT_POWER && meanPower < Infinity)) {
        power.fill(0);
        return silence(frame);
      }
      spectrum.frame.fill(0, WINDOW_SIZE);
      const place = [window.byteOffset, spectrum.frame.byteOffset, 0, 0] as const;
      kernels.run.windowed(staged.byteOffset, WINDOW_SIZE, mean, ...place);
      spectrum.compute();
      frame.energyDb = 10 * Math.log10(meanPower);
      toCepstrum(power, frame.cepstrum);
      toShape(power, previous, frame.shape);
      transform.compute();
      toPitch(transform.out, frame);
      return frame;
    },
  };
}

function silence(frame: SegmentFrame): SegmentFrame {
  frame.energyDb = 10 * Math.log10(SILENT_POWER);
  frame.voicing = 0;
  frame.semitones = 0;
  frame.isVoiced = false;
  frame.cepstrum.fill(0);
  frame.shape.fill(0);
  return frame;
}

/** The mean of the samples of a frame, and their mean power about it. */
function momentsOf(samples: Float32Array): { readonly mean: number; readonly power: number } {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] ?? 0;
  const mean = sum / samples.length;
  let power = 0;
  for (let i = 0; i < samples.length; i++) power += ((samples[i] ?? 0) - mean) ** 2;
  return { mean, power: power / samples.length };
}

/** Pitch of one frame: the shortest lag whose maximum is nearly the highest, interpolated by a parabola. */
function createFramePitch(
  sampleRateHz: number,
  ofWindow: Float64Array,
): (correlation: Float64Array, frame: SegmentFrame) => void {
  const shortest = Math.floor(sampleRateHz / CEILING_HZ);
  const longest = Math.ceil(sampleRateHz / FLOOR_HZ);
  const scale = Float64Array.from({ length: longest + 2 }, (_, lag) => (ofWindow[0] ?? 1) / (ofWindow[lag] ?? 1));
  const r = new Float64Array(longest + 2);
  return (correlation, frame) => {
    const energy = correlation[0] ?? 1;
    for (let lag = shortest - 1; lag <= longest + 1; lag++)
      r[lag] = ((correlation[lag] ?? 0) * (scale[lag] ?? 0)) / energy;
    let highest = 0;
    for (let lag = shortest; lag <= longest; lag++) if (isPeak(r, lag)) highest = Math.max(highest, r[lag] ?? 0);
    let chosen = 0;
    for (let lag = shortest; lag <= longest && chosen === 0; lag++) {
      if (isPeak(r, lag) && (r[lag] ?? 0) >= OCTAVE_TOLERANCE * highest) chosen = lag;
    }
    frame.voicing = Math.min(1, highest);
    frame.isVoiced = chosen > 0 && highest >= VOICED;
    frame.semitones = frame.isVoiced ? 12 * Math.log2(sampleRateHz / vertex(r, chosen) / 100) : 0;
  };
}

function isPeak(r: Float64Array, lag: number): boolean {
  const here = r[lag] ?? 0;
  return here > 0 && here > (r[lag - 1] ?? 0) && here >= (r[lag + 1] ?? 0);
}

function vertex(r: Float64Array, lag: number): number {
  const left = r[lag - 1] ?? 0;
  const right = r[lag + 1] ?? 0;
  return lag + (0.5 * (right - left)) / (2 * (r[lag] ?? 0) - left - right);
}
