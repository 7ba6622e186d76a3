import { createIntensityMeter } from './intensity.ts';
import { createPitchMeter, type PitchMeter, type PitchSettings } from './pitch.ts';
import {
  durationOf,
  interpolateCubic,
  parabolicExtremum,
  quantile,
  type Contour,
  type Extremum,
  type Sound,
} from './sampled.ts';
import { toSounding, type Interval } from './sounding.ts';

/** Below the 99 % quantile of the intensity, in dB: silence. */
const SILENCE_DB = 25;
/** Dip that separates two syllables, in dB. */
const DIP_DB = 2;
/** Voiced frames looked at on each side of a nucleus, so that the pitch path is settled there. */
const PATH_REACH = 8;

const NUCLEUS_PITCH: PitchSettings = {
  floorHz: 30,
  ceilingHz: 450,
  stepS: 0.02,
  silenceThreshold: 0.03,
  voicingThreshold: 0.25,
  octaveCost: 0.01,
  octaveJumpCost: 0.35,
  voicedUnvoicedCost: 0.25,
};

/** Measures syllables per second of sounding time; undefined when no syllable nucleus is found. */
export type ArticulationMeter = (sound: Sound) => number | undefined;

/**
 * Returns a meter of the articulation rate: syllable nuclei per second of sounding time, pauses of 0.3 s and more left out.
 * A nucleus is a voiced maximum of the intensity within 25 dB of its 99 % quantile and followed by a dip of more than
 * 2 dB before the next maximum, so the last maximum never counts. Sounds shorter than 0.128 s have none.
 * Source: de Jong & Wempe (2009), "Praat script to detect syllable nuclei and measure speech rate automatically", in the
 * variant that made the training columns (docs/prosody.md).
 */
export function createArticulationMeter(sampleRateHz: number): ArticulationMeter {
  const measureIntensity = createIntensityMeter(sampleRateHz, 50);
  const pitchMeter = createPitchMeter(sampleRateHz, NUCLEUS_PITCH);
  return (sound) => {
    const contour = measureIntensity(sound);
    if (contour.frames.count === 0) return undefined;
    const loudest = quantile(contour.values, 0.99);
    const sounding = toSounding(contour, durationOf(sound), loudest - SILENCE_DB);
    const lowest = lowestOf(contour.values);
    const peaks = findPeaks(contour.values).filter((peak) => peak.value > Math.max(loudest - SILENCE_DB, lowest));
    const times = followedByDip(contour.values, peaks)
      .map((peak) => contour.frames.firstS + peak.index * contour.frames.stepS)
      .filter((timeS) => sounding.some((interval) => timeS >= interval.startS && timeS < interval.endS));
    const nuclei = countVoiced(sound, pitchMeter, times);
    return nuclei === 0 ? undefined : nuclei / totalS(sounding);
  };
}

function totalS(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { startS, endS }) => sum + endS - startS, 0);
}

/** Lowest value, inner minima interpolated by a parabola. */
function lowestOf(values: Float64Array): number {
  let lowest = Infinity;
  for (let i = 0; i < values.length; i++) {
    const here = values[i] ?? 0;
    const isDip = i > 0 && i < values.length - 1 && here < (values[i - 1] ?? 0) && here <= (values[i + 1] ?? 0);
    lowest = Math.min(lowest, isDip ? parabolicExtremum(values, i).value : here);
  }
  return lowest;
}

function findPeaks(values: Float64Array): Extremum[] {
  const peaks: Extremum[] = [];
  for (let i = 1; i < values.length - 1; i++) {
    const here = values[i] ?? 0;
    if (here <= (values[i - 1] ?? 0) || here < (values[i + 1] ?? 0)) continue;
    const { index } = parabolicExtremum(values, i);
    peaks.push({ index, value: interpolateCubic(values, index) });
  }
  return peaks;
}

function followedByDip(values: Float64Array, peaks: readonly Extremum[]): Extremum[] {
  return peaks.filter((peak, p) => {
    const next = peaks[p + 1];
    if (next === undefined) return false;
    let dip = Infinity;
    for (let i = Math.ceil(peak.index); i <= Math.floor(next.index); i++) dip = Math.min(dip, values[i] ?? 0);
    return Math.abs(peak.value - dip) > DIP_DB;
  });
}

function countVoiced(sound: Sound, meter: PitchMeter, timesS: readonly number[]): number {
  const frames = meter.layFrames(sound);
  const indices = timesS.map((timeS) => Math.round((timeS - frames.firstS) / frames.stepS));
  const wanted = indices.filter((index) => index >= 0 && index < frames.count);
  let voiced = 0;
  for (let first = 0; first < wanted.length;) {
    let last = first;
    while (last + 1 < wanted.length && (wanted[last + 1] ?? 0) - (wanted[last] ?? 0) <= 2 * PATH_REACH) last++;
    const from = Math.max(0, (wanted[first] ?? 0) - PATH_REACH);
    const track: Contour = meter.track(sound, from, (wanted[last] ?? 0) + PATH_REACH + 1);
    for (; first <= last; first++) if ((track.values[wanted[first] ?? 0] ?? 0) > 0) voiced++;
  }
  return voiced;
}
