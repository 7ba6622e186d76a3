import { createArticulationMeter } from './articulation.ts';
import { createHarmonicityMeter } from './harmonicity.ts';
import { createIntensityMeter, meanIntensityDb } from './intensity.ts';
import { createPitchMeter, SPEECH_PITCH } from './pitch.ts';
import { deviationOf, durationOf, meanOf, toSound } from './sampled.ts';

/**
 * The measures of {@link prosody8}, in order: seconds; dB re 20 µPa averaged as energy; standard deviation of the intensity
 * contour in dB; mean, standard deviation and range (highest minus lowest) of the pitch of voiced frames in Hz; syllable
 * nuclei per second of sounding time; mean harmonics-to-noise ratio in dB.
 */
export const PROSODY_COLUMNS = [
  'duration',
  'avg_intensity',
  'intensity_variation',
  'avg_pitch',
  'pitch_std',
  'pitch_range',
  'articulation_rate',
  'mean_hnr',
] as const;

/**
 * What stands in `articulation_rate` when no syllable nucleus was found, in syllables per second. The training columns
 * hold exactly this there: their own mean, so that it says nothing either way.
 */
export const UNMEASURED_ARTICULATION_RATE = 3.7585533;

/** Sixteen steps of 16-bit audio (-66 dB): what stays below is mostly quantisation noise, and its harmonicity means nothing. */
const LOWEST_PEAK = 5e-4;

/** Measures the prosody of one utterance; see {@link prosody8}. Keeps tables and scratch buffers, no state. */
export type ProsodyMeter = (samples: Float32Array) => Float32Array | undefined;

/**
 * Returns a {@link ProsodyMeter} for one sample rate, which spares the tables that {@link prosody8} makes at every call.
 * @throws RangeError when `sampleRateHz` is not between 8,000 and 48,000.
 */
export function createProsodyMeter(sampleRateHz: number): ProsodyMeter {
  if (!(sampleRateHz >= 8000 && sampleRateHz <= 48_000)) {
    throw new RangeError(`sampleRateHz must be between 8000 and 48000, got ${sampleRateHz}`);
  }
  const measureIntensity = createIntensityMeter(sampleRateHz, 100);
  const pitchMeter = createPitchMeter(sampleRateHz, SPEECH_PITCH);
  const measureHarmonicity = createHarmonicityMeter(sampleRateHz);
  const measureArticulation = createArticulationMeter(sampleRateHz);
  return (samples) => {
    const sound = toSound(samples, sampleRateHz);
    if (!(sound.peak > LOWEST_PEAK && sound.peak < Infinity)) return undefined;
    const intensity = measureIntensity(sound);
    if (intensity.frames.count === 0) return undefined;
    const voiced = pitchMeter.track(sound).values.filter((hz) => hz > 0);
    if (voiced.length === 0) return undefined;
    const harmonicity = measureHarmonicity(sound);
    if (harmonicity === undefined) return undefined;
    return Float32Array.of(
      durationOf(sound),
      meanIntensityDb(intensity),
      deviationOf(intensity.values),
      meanOf(voiced),
      deviationOf(voiced),
      rangeOf(voiced),
      measureArticulation(sound) ?? UNMEASURED_ARTICULATION_RATE,
      harmonicity,
    );
  };
}

/**
 * Returns the eight measures of {@link PROSODY_COLUMNS} of one utterance, or `undefined` when they cannot be measured: it is
 * shorter than 64 ms, has no voiced frame, stays within 5e-4 of its mean (-66 dB, sixteen steps of 16 bits), or has a sample
 * that is not a finite number. Every value is finite. `samples`: mono, in [-1, 1].
 * Source: Praat's algorithms as called by the script that made the training columns; docs/prosody.md says which, and how
 * closely these agree.
 * @throws RangeError when `sampleRateHz` is not between 8,000 and 48,000.
 */
export function prosody8(samples: Float32Array, sampleRateHz: number): Float32Array | undefined {
  return createProsodyMeter(sampleRateHz)(samples);
}

function rangeOf(values: Float64Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low;
}
