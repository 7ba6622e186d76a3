import { createAutocorrelator, type Autocorrelator } from './autocorrelation.ts';
import { createSignalKernels } from './kernels/signalKernels.ts';
import { createPeakRefiner, type PeakRefiner } from './correlationPeaks.ts';
import { choosePath, createCandidates, type Candidates, type PathCosts } from './pitchPath.ts';
import { durationOf, layFrames, localMean, type Contour, type Frames, type Sound } from './sampled.ts';

/** What a pitch analysis looks for. Names, and defaults in {@link SPEECH_PITCH}, are those of Praat's manual. */
export type PitchSettings = PathCosts & {
  readonly floorHz: number;
  readonly stepS: number;
  /** Frames whose peak is below this share of the recording's are probably silent. */
  readonly silenceThreshold: number;
};

/** Praat's standard settings of "To Pitch (ac)", 75 to 600 Hz, every 10 ms. */
export const SPEECH_PITCH: PitchSettings = {
  floorHz: 75,
  ceilingHz: 600,
  stepS: 0.01,
  silenceThreshold: 0.03,
  voicingThreshold: 0.45,
  octaveCost: 0.01,
  octaveJumpCost: 0.35,
  voicedUnvoicedCost: 0.14,
};

/** Makes pitch contours: hertz per frame, 0 where unvoiced. */
export type PitchMeter = {
  /** Times of the frames of `sound`; none when it is shorter than three periods of the floor. */
  layFrames(sound: Sound): Frames;
  /** Pitch of the frames from `from` to before `to` (all, when not given), the rest being 0. */
  track(sound: Sound, from?: number, to?: number): Contour;
};

/**
 * Returns a pitch meter by the autocorrelation method: per frame of three periods of the floor, the maxima of the
 * normalised autocorrelation are candidates; the cheapest path through the candidates of all frames is the contour.
 * Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
 * sampled sound", sections 3 and 5. Deviation: maxima are interpolated with 48 taps instead of 140.
 */
export function createPitchMeter(sampleRateHz: number, settings: PitchSettings): PitchMeter {
  const periodSamples = Math.floor(sampleRateHz / settings.floorHz);
  const size = 2 * (Math.floor(Math.floor((3 * sampleRateHz) / settings.floorHz) / 2) - 1);
  const kernels = createSignalKernels();
  const scan: FrameScan = {
    settings,
    sampleRateHz,
    periodSamples,
    maxLag: Math.floor(size / 3) + 2,
    correlator: createAutocorrelator(kernels, size, Math.floor(size / 3) + 2),
    refiner: createPeakRefiner(kernels),
  };
  const framesOf = (sound: Sound) => layFrames(durationOf(sound), 3 / settings.floorHz, settings.stepS);
  return {
    layFrames: framesOf,
    track(sound, from = 0, to = Infinity) {
      const frames = framesOf(sound);
      const values = new Float64Array(frames.count);
      const end = Math.min(to, frames.count);
      if (sound.peak === 0 || end <= from) return { frames, values };
      const candidates = createCandidates(end - from);
      for (let i = from; i < end; i++) {
        const right = Math.floor((frames.firstS + i * frames.stepS) * sampleRateHz - 0.5) + 1;
        scanFrame(scan, { samples: sound.samples, right, peak: sound.peak }, candidates);
      }
      values.set(choosePath(candidates, settings, frames.stepS), from);
      return { frames, values };
    },
  };
}

type FrameScan = {
  readonly settings: PitchSettings;
  readonly sampleRateHz: number;
  readonly periodSamples: number;
  readonly maxLag: number;
  readonly correlator: Autocorrelator;
  readonly refiner: PeakRefiner;
};

/** `right` is the first sample after the middle of the frame. */
type FrameAt = { readonly samples: Float32Array; readonly right: number; readonly peak: number };

function scanFrame(scan: FrameScan, frame: FrameAt, candidates: Candidates): void {
  const { silenceThreshold, voicingThreshold, voicedUnvoicedCost, stepS } = scan.settings;
  const loudness = Math.min(1, windowFrame(scan, frame) / frame.peak);
  const silence = 2 - (loudness * (1 + voicingThreshold)) / silenceThreshold;
  const unvoiced = voicingThreshold + Math.max(0, silence);
  candidates.beginFrame(unvoiced);
  // A voiced candidate is worth 1 at most, and leaving it costs two transitions at most: so quiet a frame is never voiced.
  if (unvoiced > 1 + (2 * voicedUnvoicedCost * 0.01) / stepS) return;
  if (scan.correlator.compute()) collectMaxima(scan, candidates);
}

/** Loads the frame, less its local mean; returns its peak within half a longest period of the middle. */
function windowFrame({ correlator, periodSamples }: FrameScan, { samples, right }: FrameAt): number {
  const mean = localMean(samples, right - periodSamples, right + periodSamples);
  return correlator.load(samples, right - correlator.size / 2, mean, Math.floor(periodSamples / 2) + 1);
}

function collectMaxima(scan: FrameScan, candidates: Candidates): void {
  const { correlator, refiner, maxLag, sampleRateHz, settings } = scan;
  const { r, origin } = correlator;
  const weakest = 0.5 * settings.voicingThreshold;
  for (let lag = 2; lag < maxLag; lag++) {
    const here = r[origin + lag] ?? 0;
    if (here <= weakest || here <= (r[origin + lag - 1] ?? 0) || here < (r[origin + lag + 1] ?? 0)) continue;
    refiner.refine(r, origin + lag);
    const hz = sampleRateHz / (refiner.index - origin);
    // Short windows can exceed 1; Praat reflects such values.
    if (hz <= settings.ceilingHz) candidates.add(hz, refiner.value > 1 ? 1 / refiner.value : refiner.value);
  }
}
