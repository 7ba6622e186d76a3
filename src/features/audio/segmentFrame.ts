import FFT from 'fft.js';

import { createCosineTransform } from './cosineTransform.ts';
import { createMelBank } from './melBank.ts';
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

/** Measures the frame around sample `centre`; samples outside the sound are 0. The result is overwritten by the next call. */
export type MeasureFrame = (samples: Float32Array, centre: number) => SegmentFrame;

/**
 * Returns a measurer of consecutive frames of one sound (flux compares with the frame before): one FFT of the Hanning
 * window gives the cepstrum, the shape and, transformed back, the autocorrelation for the pitch (70–500 Hz).
 */
export function createSegmentFrame(sampleRateHz: number): MeasureFrame {
  const bins = FFT_SIZE / 2 + 1;
  const fft = new FFT(FFT_SIZE);
  const window = Float64Array.from(
    { length: WINDOW_SIZE },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW_SIZE),
  );
  const input = new Array<number>(FFT_SIZE).fill(0);
  const spectrum = fft.createComplexArray();
  const transform = createCosineTransform(FFT_SIZE);
  const correlation = new Float64Array(FFT_SIZE / 2);
  const toCepstrum = createMelBank(sampleRateHz, FFT_SIZE, CEPSTRUM_SIZE);
  const toShape = createSpectralShape(sampleRateHz, bins);
  const toPitch = createFramePitch(sampleRateHz, toWindowCorrelation(window, transform, fft));
  const frame: SegmentFrame = {
    energyDb: 0,
    voicing: 0,
    semitones: 0,
    isVoiced: false,
    cepstrum: new Float64Array(CEPSTRUM_SIZE),
    shape: new Float64Array(SHAPE_COLUMNS.length),
  };
  let power = new Float64Array(bins);
  let previous = new Float64Array(bins);

  return (samples, centre) => {
    [power, previous] = [previous, power];
    const meanPower = loadFrame(samples, centre - WINDOW_SIZE / 2, window, input);
    if (!(meanPower > SILENT_POWER && meanPower < Infinity)) {
      power.fill(0);
      return silence(frame);
    }
    fft.realTransform(spectrum, input);
    for (let k = 0; k < bins; k++) power[k] = (spectrum[2 * k] ?? 0) ** 2 + (spectrum[2 * k + 1] ?? 0) ** 2;
    frame.energyDb = 10 * Math.log10(meanPower);
    toCepstrum(power, frame.cepstrum);
    toShape(power, previous, frame.shape);
    transform(power, correlation);
    toPitch(correlation, frame);
    return frame;
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

/** Writes the windowed frame, less its mean, to `input`; returns its mean power before windowing. */
function loadFrame(samples: Float32Array, start: number, window: Float64Array, input: number[]): number {
  const from = Math.max(0, start);
  const to = Math.min(samples.length, start + WINDOW_SIZE);
  let sum = 0;
  for (let i = from; i < to; i++) sum += samples[i] ?? 0;
  const mean = sum / WINDOW_SIZE;
  let power = 0;
  for (let i = 0; i < WINDOW_SIZE; i++) {
    const index = start + i;
    const x = (index >= from && index < to ? (samples[index] ?? 0) : 0) - mean;
    power += x * x;
    input[i] = x * (window[i] ?? 0);
  }
  return power / WINDOW_SIZE;
}

function toWindowCorrelation(
  window: Float64Array,
  transform: (a: Float64Array, b: Float64Array) => void,
  fft: FFT,
): Float64Array {
  const input = new Array<number>(FFT_SIZE).fill(0);
  window.forEach((w, i) => (input[i] = w));
  const spectrum = fft.createComplexArray();
  fft.realTransform(spectrum, input);
  const power = Float64Array.from(
    { length: FFT_SIZE / 2 + 1 },
    (_, k) => (spectrum[2 * k] ?? 0) ** 2 + (spectrum[2 * k + 1] ?? 0) ** 2,
  );
  const correlation = new Float64Array(FFT_SIZE / 2);
  transform(power, correlation);
  return correlation;
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
