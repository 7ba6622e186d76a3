import { besselI0 } from './besselI0.ts';
import { createSignalKernels } from './kernels/signalKernels.ts';
import { durationOf, layFrames, meanOf, type Contour, type Sound } from './sampled.ts';

/** Square of the hearing threshold, 20 µPa. */
const REFERENCE_POWER = 4e-10;
/** What digital silence measures, in dB. */
const SILENCE_DB = -300;

/** Makes intensity contours for one sample rate and one lowest pitch. */
export type IntensityMeter = (sound: Sound) => Contour;

/**
 * Returns a meter of the intensity contour in dB re 20 µPa: the squared signal, less the mean of the window, smoothed by a
 * Kaiser window of `6.4 / minPitchHz` seconds at steps of `0.8 / minPitchHz`. Digital silence is -300 dB. A sound shorter
 * than the window has no frames.
 * Source: Praat manual, "Sound: To Intensity..." (Kaiser-20 window, sidelobes below -190 dB).
 */
export function createIntensityMeter(sampleRateHz: number, minPitchHz: number): IntensityMeter {
  const windowS = 6.4 / minPitchHz;
  const half = Math.floor(0.5 * windowS * sampleRateHz);
  const kernels = createSignalKernels();
  const window = kernels.doubles(2 * half + 1);
  window.set(kaiser20(half, 0.5 * windowS * sampleRateHz));
  const staged = kernels.singles(2 * half + 1);
  const windowedPower = (samples: Float32Array, centre: number): number => {
    const from = Math.max(0, centre - half);
    const to = Math.min(samples.length, centre + half + 1);
    staged.set(samples.subarray(from, to));
    const shift = from - (centre - half);
    return kernels.run.windowedPower(staged.byteOffset, to - from, window.byteOffset + 8 * shift);
  };
  return (sound) => {
    const frames = layFrames(durationOf(sound), windowS, 0.8 / minPitchHz);
    const values = new Float64Array(frames.count);
    for (let i = 0; i < frames.count; i++) {
      const centre = Math.round((frames.firstS + i * frames.stepS) * sampleRateHz - 0.5);
      values[i] = toDecibels(windowedPower(sound.samples, centre));
    }
    return { frames, values };
  };
}

/** Returns the mean intensity in dB, averaged as energy (not as decibels). */
export function meanIntensityDb(contour: Contour): number {
  return 10 * Math.log10(meanOf(contour.values.map((db) => 10 ** (db / 10))));
}

function kaiser20(half: number, exactHalf: number): Float64Array {
  const beta = 2 * Math.PI * Math.PI + 0.5;
  return Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
    const x = (i - half) / exactHalf;
    return besselI0(beta * Math.sqrt(Math.max(0, 1 - x * x)));
  });
}

function toDecibels(power: number): number {
  const relative = power / REFERENCE_POWER;
  return relative < 1e-30 ? SILENCE_DB : 10 * Math.log10(relative);
}
