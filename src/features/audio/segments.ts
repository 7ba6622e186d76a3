import { CEPSTRUM_SIZE, createSegmentFrames, type SegmentFrame } from './segmentFrame.ts';
import { SHAPE_COLUMNS } from './spectralShape.ts';

const RATE_HZ = 16_000;
/** Samples of a segment: 100 ms. */
const SEGMENT_SIZE = 1600;
/** Frames of a segment and samples between their centres: 20 ms. */
const FRAMES = 5;
const HOP = SEGMENT_SIZE / FRAMES;
/** Cepstral coefficients whose spread within the segment is measured. */
const SPREAD_SIZE = 6;
/** Voiced frames that make a slope. */
const SLOPE_FRAMES = 3;

/**
 * The columns of {@link segmentDescriptors}, in order: mean of MFCC 1–13 and standard deviation of MFCC 1–6 (natural
 * logarithm, no coefficient 0); mean and standard deviation of the frame energy in dB re full scale (silence: -90); F0 in
 * semitones re 100 Hz (0 when unvoiced); voicing strength and share of voiced frames, in [0, 1]; F0 slope in semitones per
 * 100 ms (0 with fewer than three voiced frames); means of SHAPE_COLUMNS (kHz, dB, or in [0, 1]).
 */
export const SEGMENT_COLUMNS: readonly string[] = [
  ...Array.from({ length: CEPSTRUM_SIZE }, (_, i) => `mfcc${i + 1}`),
  ...Array.from({ length: SPREAD_SIZE }, (_, i) => `mfcc${i + 1}Sd`),
  'energyDb',
  'energySdDb',
  'f0Semitones',
  'voicing',
  'voicedShare',
  'f0Slope',
  ...SHAPE_COLUMNS,
];

/** Segments of one utterance: `data` is row-major, `[frames, columns]`, `columns` = `SEGMENT_COLUMNS.length`. */
export type SegmentDescriptors = { readonly frames: number; readonly columns: number; readonly data: Float32Array };

/** Measures the segments of one utterance; see {@link segmentDescriptors}. Keeps tables and scratch buffers, no state. */
export type SegmentMeter = (samples: Float32Array) => SegmentDescriptors;

/**
 * Returns a {@link SegmentMeter}, which spares the tables that {@link segmentDescriptors} makes at every call.
 * @throws RangeError when `sampleRateHz` is not 16,000.
 */
export function createSegmentMeter(sampleRateHz: number): SegmentMeter {
  if (sampleRateHz !== RATE_HZ) throw new RangeError(`sampleRateHz must be ${RATE_HZ}, got ${sampleRateHz}`);
  const columns = SEGMENT_COLUMNS.length;
  const frames = createSegmentFrames(sampleRateHz);
  const segment = createSegment();
  return (samples) => {
    const rows = Math.ceil(samples.length / SEGMENT_SIZE);
    const data = new Float32Array(rows * columns);
    frames.restart();
    for (let row = 0; row < rows; row++) {
      const start = row * SEGMENT_SIZE;
      segment.clear();
      for (let k = 0; k < FRAMES; k++) {
        const centre = start + k * HOP + HOP / 2;
        if (k === 0 || centre < samples.length) segment.add(frames.measure(samples, centre));
      }
      segment.write(data.subarray(row * columns, (row + 1) * columns));
    }
    return { frames: rows, columns, data };
  };
}

/**
 * Returns what each 100 ms of speech sounds like, for models that read sequences at 10 Hz: means and spreads over five
 * frames of 36 ms, 20 ms apart. Every started segment has a row, so `frames` is the length in seconds times 10, rounded up,
 * and 0 for no samples. Every value is finite, whatever the samples; a silent segment is all zero but for its energy.
 * Only `energyDb` depends on the level, as long as no frame falls below -90 dB.
 * `samples`: mono, in [-1, 1].
 * @throws RangeError when `sampleRateHz` is not 16,000.
 */
export function segmentDescriptors(samples: Float32Array, sampleRateHz: number): SegmentDescriptors {
  return createSegmentMeter(sampleRateHz)(samples);
}

type Segment = { clear(): void; add(frame: SegmentFrame): void; write(row: Float32Array): void };

/** Sums over the frames of one segment. */
function createSegment(): Segment {
  const sums = new Float64Array(CEPSTRUM_SIZE + SHAPE_COLUMNS.length);
  const values = new Float64Array((SPREAD_SIZE + 1) * FRAMES);
  const pitch: { at: number; semitones: number }[] = [];
  let count = 0;
  let voicing = 0;
  return {
    clear() {
      sums.fill(0);
      pitch.length = 0;
      count = 0;
      voicing = 0;
    },
    add(frame) {
      for (let c = 0; c < CEPSTRUM_SIZE; c++) sums[c] = (sums[c] ?? 0) + (frame.cepstrum[c] ?? 0);
      for (let s = 0; s < SHAPE_COLUMNS.length; s++) {
        sums[CEPSTRUM_SIZE + s] = (sums[CEPSTRUM_SIZE + s] ?? 0) + (frame.shape[s] ?? 0);
      }
      for (let c = 0; c < SPREAD_SIZE; c++) values[c * FRAMES + count] = frame.cepstrum[c] ?? 0;
      values[SPREAD_SIZE * FRAMES + count] = frame.energyDb;
      if (frame.isVoiced) pitch.push({ at: count, semitones: frame.semitones });
      voicing += frame.voicing;
      count++;
    },
    write(row) {
      const spread = Array.from({ length: SPREAD_SIZE + 1 }, (_, c) =>
        spreadOf(values.subarray(c * FRAMES, c * FRAMES + count)),
      );
      const semitones = pitch.reduce((sum, p) => sum + p.semitones, 0) / Math.max(1, pitch.length);
      row.set(sums.subarray(0, CEPSTRUM_SIZE).map((sum) => sum / count));
      row.set(
        spread.slice(0, SPREAD_SIZE).map(({ deviation }) => deviation),
        CEPSTRUM_SIZE,
      );
      const energy = spread[SPREAD_SIZE] ?? { mean: 0, deviation: 0 };
      row.set(
        [energy.mean, energy.deviation, semitones, voicing / count, pitch.length / count, slopeOf(pitch)],
        CEPSTRUM_SIZE + SPREAD_SIZE,
      );
      row.set(
        sums.subarray(CEPSTRUM_SIZE).map((sum) => sum / count),
        row.length - SHAPE_COLUMNS.length,
      );
    },
  };
}

function spreadOf(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
}

/** Least-squares slope in semitones per segment. */
function slopeOf(pitch: readonly { readonly at: number; readonly semitones: number }[]): number {
  if (pitch.length < SLOPE_FRAMES) return 0;
  const meanAt = pitch.reduce((sum, p) => sum + p.at, 0) / pitch.length;
  const covariance = pitch.reduce((sum, p) => sum + (p.at - meanAt) * p.semitones, 0);
  return (FRAMES * covariance) / pitch.reduce((sum, p) => sum + (p.at - meanAt) ** 2, 0);
}
