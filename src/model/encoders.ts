import * as tf from '@tensorflow/tfjs-core';
import type { Mode, ModelConfig, InputSpec } from './config.ts';
import { MODES, modeOf } from './config.ts';
import { bilstm, dropout, normalise, dense, type TrainingMode } from './layers.ts';
import { affine } from './ops/affine.ts';
import { attend } from './ops/attention.ts';
import { countOf, interleave, type Offsets, toOffsets, totalOf } from './ops/ragged.ts';
import { gatherRows, meanRows } from './ops/rows.ts';
import { type Parameters, SELF_LAYERS } from './parameters.ts';

/**
 * One input of a batch of utterances, packed: utterance `i` owns rows `offsets[i]` … (none = absent).
 * `tokens`: embedded words `[words, width]`; `vector` and `sequence`: normalised values `[rows, rowWidth(input)]`.
 */
export type InputBatch = { readonly rows: tf.Tensor2D; readonly offsets: Offsets };

/** A batch of utterances: what is there of each, and how healthy it was. Absent inputs simply have no rows. */
export type UtteranceBatch = {
  readonly size: number;
  readonly inputs: ReadonlyMap<string, InputBatch>;
  /** Share in [0, 1] per utterance, in the order of MODALITIES; `[size × 4]`. */
  readonly shares: Float32Array;
};

/** Tokens of one mode, packed: `[rows, width]`; an utterance without the mode owns none. */
export type ModeTokens = { readonly tokens: tf.Tensor2D; readonly offsets: Offsets };

/** A modality of a batch by itself, before its mode joins it to others: mean token `[size, width]`, and who has it. */
export type StreamView = { readonly rows: tf.Tensor2D; readonly isPresent: (row: number) => boolean };

/**
 * Encodes each mode of a batch to tokens. A mode that no utterance has is missing from the result.
 * Text: embedded words → BiLSTM → self-attention. Audio: 10 Hz descriptors → BiLSTM, and one prosody token →
 * self-attention. Visual: face and body frames → two BiLSTMs → concatenated in time → stacked self-attention.
 * A vector is projected to its tokens. Source: METHOD.md section 1 (AMuSE, arXiv 2401.15164, section 3.1).
 */
export function encode(
  p: Parameters,
  config: ModelConfig,
  batch: UtteranceBatch,
  training?: TrainingMode,
  streams?: Map<string, StreamView>,
): Map<Mode, ModeTokens> {
  const modes = new Map<Mode, ModeTokens>();
  for (const mode of MODES) {
    const parts: ModeTokens[] = [];
    for (const input of config.inputs) {
      const given = batch.inputs.get(input.name);
      if (modeOf(input.modality) !== mode || !given || totalOf(given.offsets) === 0) continue;
      const part = encodeInput(p, input, given, config.width, training);
      parts.push(part);
      if (mode === 'visual') streams?.set(input.modality, toStream(part));
    }
    const joined = join(parts);
    if (joined) modes.set(mode, selfAttend(p, mode, config.heads, joined, training));
  }
  return modes;
}

function toStream({ tokens, offsets }: ModeTokens): StreamView {
  return { rows: meanRows(tokens, offsets), isPresent: (row) => countOf(offsets, row) > 0 };
}

function encodeInput(
  p: Parameters,
  input: InputSpec,
  given: InputBatch,
  width: number,
  training?: TrainingMode,
): ModeTokens {
  if (input.kind === 'tokens') {
    const x = dropout(given.rows, training);
    return { tokens: runBilstm(p, input.name, x, given.offsets), offsets: given.offsets };
  }
  const x = dense(p, `${input.name}.project`, given.rows);
  if (input.kind === 'vector') {
    const tokens = tf.reshape<tf.Rank.R2>(x, [-1, width]);
    const offsets = given.offsets.map((row) => row * input.tokens);
    return { tokens: dropout(normalise(p, `${input.name}.norm`, tokens), training), offsets };
  }
  const seen = normalise(p, `${input.name}.norm`, x);
  return shorten(runBilstm(p, input.name, dropout(seen, training), given.offsets), given.offsets, input.tokens);
}

function runBilstm(p: Parameters, name: string, x: tf.Tensor2D, offsets: Offsets): tf.Tensor2D {
  const forward: Int32Array[] = [];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const first = offsets[i] as number;
    if (countOf(offsets, i) > 0) forward.push(Int32Array.from({ length: countOf(offsets, i) }, (_, k) => first + k));
  }
  return bilstm(
    p,
    name,
    x,
    forward,
    forward.map((rows) => rows.slice().reverse()),
  );
}

/** Averages neighbouring rows so that no utterance has more than `limit` tokens. */
function shorten(tokens: tf.Tensor2D, offsets: Offsets, limit: number): ModeTokens {
  const counts: number[] = [];
  const bounds = [0];
  for (let i = 0; i + 1 < offsets.length; i++) {
    const count = countOf(offsets, i);
    const kept = Math.min(count, limit);
    for (let k = 1; k <= kept; k++) bounds.push((offsets[i] as number) + Math.floor((k * count) / kept));
    counts.push(kept);
  }
  const short = toOffsets(counts);
  return {
    tokens: totalOf(short) === totalOf(offsets) ? tokens : meanRows(tokens, Int32Array.from(bounds)),
    offsets: short,
  };
}

function join(parts: readonly ModeTokens[]): ModeTokens | undefined {
  if (parts.length <= 1) return parts[0];
  const { index, offsets } = interleave(parts.map((part) => part.offsets));
  return {
    tokens: gatherRows(
      tf.concat2d(
        parts.map((part) => part.tokens),
        0,
      ),
      index,
    ),
    offsets,
  };
}

function selfAttend(p: Parameters, mode: Mode, heads: number, given: ModeTokens, training?: TrainingMode): ModeTokens {
  const weights = new Float32Array(given.offsets.length - 1).fill(1);
  let x = given.tokens;
  for (let l = 0; l < SELF_LAYERS[mode]; l++) {
    const name = `${mode}.self.${l}`;
    const keysValues = affine(x, p.tensor(`${name}.kv`));
    const source = { keysValues, offsets: given.offsets, weights };
    const seen = attend(affine(x, p.tensor(`${name}.q`)), given.offsets, [source], heads);
    x = normalise(p, `${name}.norm`, x, dropout(affine(seen, p.tensor(`${name}.o`)), training));
  }
  return { tokens: x, offsets: given.offsets };
}
