import { type InputSpec, rowWidth } from './config.ts';

/**
 * Running statistics of one speaker for one input: `[weight, mean × dim, sum of squared deviations × dim]`. A vector weighs 1;
 * the rows of a sequence weigh as many as they last seconds, and 1 at least.
 */
export type SpeakerStatistics = Float64Array;

/** Rows of a sequence per second. */
const ROWS_PER_S = 10;
/** Observations (seconds of a sequence) that the global mean and variance count for while a speaker is new [our decision]. */
const PRIOR_OBSERVATIONS = 4;
/** Normalised values are cut here, so that one broken measurement cannot dominate [our decision]. */
const MAX_DEVIATIONS = 5;

/** The statistics of a speaker not yet heard. */
export function newStatistics(dim: number): SpeakerStatistics {
  return new Float64Array(1 + 2 * dim);
}

/**
 * Normalises the rows of one utterance, `[rows × dim]` → `[rows × rowWidth(input)]`: z-scores with the statistics stored in
 * the weights and, for a speaker-relative input, beside them the same values relative to the speaker's running mean and
 * variance, shrunk toward the global ones while the speaker is new. Because people differ at rest.
 * Source: METHOD.md section 1.
 */
export function normaliseRows(
  input: InputSpec,
  values: Float32Array,
  global: { readonly mean: Float32Array; readonly scale: Float32Array },
  speaker: SpeakerStatistics,
): Float32Array {
  const { dim } = input;
  const width = rowWidth(input);
  const rows = values.length / dim;
  const out = new Float32Array(rows * width);
  const count = speaker[0] as number;
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < dim; k++) {
      const z = clip(((values[r * dim + k] as number) - (global.mean[k] as number)) * (global.scale[k] as number));
      out[r * width + k] = z;
      if (!input.speakerRelative) continue;
      const mean = (count * (speaker[1 + k] as number)) / (count + PRIOR_OBSERVATIONS);
      const variance = ((speaker[1 + dim + k] as number) + PRIOR_OBSERVATIONS) / (count + PRIOR_OBSERVATIONS);
      out[r * width + dim + k] = clip((z - mean) / Math.sqrt(variance));
    }
  return out;
}

/** Normalised rows as they would be if another speaker had shown them: what stands relative to the speaker is made anew. */
export function relativeTo(input: InputSpec, normalised: Float32Array, speaker: SpeakerStatistics): Float32Array {
  if (!input.speakerRelative) return normalised;
  const { dim } = input;
  const width = rowWidth(input);
  const values = new Float32Array((normalised.length / width) * dim);
  for (let i = 0; i < values.length; i++) values[i] = normalised[Math.floor(i / dim) * width + (i % dim)] as number;
  const asTheyAre = { mean: new Float32Array(dim), scale: new Float32Array(dim).fill(1) };
  return normaliseRows(input, values, asTheyAre, speaker);
}

/**
 * Adds an utterance, as {@link normaliseRows} returned it, to its speaker's statistics (Welford 1962; weighted and in parts:
 * Chan, Golub and LeVeque 1979). Of a sequence, what varies within the utterance counts too, so that a face which is at rest in
 * another way is known after seconds, not after utterances, and its play is not taken for unusual.
 */
export function withUtterance(
  input: InputSpec,
  normalised: Float32Array,
  speaker: SpeakerStatistics,
): SpeakerStatistics {
  const { dim } = input;
  const width = rowWidth(input);
  const rows = normalised.length / width;
  const next = Float64Array.from(speaker);
  if (rows === 0) return next;
  const weight = input.kind === 'sequence' ? Math.max(1, rows / ROWS_PER_S) : 1;
  const total = (speaker[0] as number) + weight;
  next[0] = total;
  for (let k = 0; k < dim; k++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += (normalised[r * width + k] as number) / rows;
    let within = 0;
    for (let r = 0; r < rows; r++) within += ((normalised[r * width + k] as number) - mean) ** 2 / rows;
    const delta = mean - (speaker[1 + k] as number);
    next[1 + k] = (speaker[1 + k] as number) + (delta * weight) / total;
    const between = delta * (mean - (next[1 + k] as number));
    next[1 + dim + k] = (speaker[1 + dim + k] as number) + weight * (between + within);
  }
  return next;
}

function clip(z: number): number {
  return Math.max(-MAX_DEVIATIONS, Math.min(MAX_DEVIATIONS, z));
}
