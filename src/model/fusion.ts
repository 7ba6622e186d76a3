import * as tf from '@tensorflow/tfjs-core';
import { MODALITIES } from '../domain/modality.ts';
import { type Mode, type ModelConfig, MODES } from './config.ts';
import { crossAttend, toKeysValues } from './crossAttention.ts';
import { encode, type ModeTokens, type StreamView, type UtteranceBatch } from './encoders.ts';
import { dense, type TrainingMode } from './layers.ts';
import { toOffsets, countOf } from './ops/ragged.ts';
import { gatherRows, meanRows } from './ops/rows.ts';
import type { Parameters } from './parameters.ts';

/** Parts of the method that can be switched off by name, to measure what they do. */
export const ABLATIONS = ['qaf', 'joint-embedding', 'speaker', 'dialogue'] as const;
/** One part of {@link ABLATIONS}. */
export type Ablation = (typeof ABLATIONS)[number];

/** Options of a pass through the network. */
export type PassOptions = {
  readonly training?: TrainingMode | undefined;
  readonly without?: ReadonlySet<Ablation>;
  /** Filled with each visual stream by itself, for losses that compare them. */
  readonly streams?: Map<string, StreamView>;
};

/** A batch of fused utterances. */
export type Fusion = {
  /** F(u): `[size, 3 · width]`. */
  readonly fused: tf.Tensor2D;
  /** f_m, pooled and cross-attended (or substituted), per mode: `[size, width]`. */
  readonly descriptors: ReadonlyMap<Mode, tf.Tensor2D>;
  /** Share of each mode after absent inputs are known, `[size]`; 0 = substituted. */
  readonly shares: ReadonlyMap<Mode, Float32Array>;
  /** Mean gate α_mn of each ordered pair, `[size, 6]`, in the order of {@link PAIRS}. */
  readonly gates: tf.Tensor2D;
};

/** Ordered pairs (m, n) of different modes. */
export const PAIRS: readonly (readonly [Mode, Mode])[] = MODES.flatMap((m) =>
  MODES.filter((n) => n !== m).map((n) => [m, n] as const),
);

/**
 * Encodes, cross-attends, substitutes absent modes and fuses a batch of utterances.
 * Source: METHOD.md sections 1 to 4. @throws RangeError when an utterance has no mode at all
 */
export function fuse(p: Parameters, config: ModelConfig, batch: UtteranceBatch, options: PassOptions = {}): Fusion {
  const modes = encode(p, config, batch, options.training, options.streams);
  const shares = modeShares(batch, modes);
  const descriptors = describe(p, config, { modes, shares, size: batch.size, options });
  return { descriptors, shares, ...applyGates(p, config, descriptors, shares, options) };
}

/** Share per mode: of the modality, or the better of face and body for the visual mode [our decision]; 0 without tokens. */
function modeShares(batch: UtteranceBatch, modes: ReadonlyMap<Mode, ModeTokens>): Map<Mode, Float32Array> {
  const share = (i: number, modality: (typeof MODALITIES)[number]): number =>
    batch.shares[i * 4 + MODALITIES.indexOf(modality)] as number;
  const shares = new Map<Mode, Float32Array>();
  for (const mode of MODES) {
    const offsets = modes.get(mode)?.offsets;
    shares.set(
      mode,
      Float32Array.from({ length: batch.size }, (_, i) => {
        if (!offsets || countOf(offsets, i) === 0) return 0;
        return mode === 'visual' ? Math.max(share(i, 'face'), share(i, 'body')) : share(i, mode);
      }),
    );
  }
  for (let i = 0; i < batch.size; i++)
    if (!MODES.some((mode) => ((shares.get(mode) as Float32Array)[i] as number) > 0))
      throw new RangeError(`fuse: utterance ${i} of the batch has no modality`);
  return shares;
}

type Described = {
  modes: ReadonlyMap<Mode, ModeTokens>;
  shares: ReadonlyMap<Mode, Float32Array>;
  size: number;
  options: PassOptions;
};

/** f_m of every utterance and mode: from its own tokens where present, else from the joint-embedding substitute. */
function describe(p: Parameters, config: ModelConfig, given: Described): Map<Mode, tf.Tensor2D> {
  const { modes, shares, size, options } = given;
  const shareOf = (mode: Mode): Float32Array => shares.get(mode) as Float32Array;
  const context = { modes, keysValues: toKeysValues(p, config, modes), shareOf, training: options.training };
  const own = new Map<Mode, tf.Tensor2D>();
  for (const [mode, tokens] of modes)
    own.set(mode, meanRows(crossAttend(p, config, { mode, given: tokens }, context), tokens.offsets));
  const all = new Map<Mode, tf.Tensor2D>();
  for (const mode of MODES) {
    const present = own.get(mode);
    const share = shareOf(mode);
    if (present && share.every((s) => s > 0)) {
      all.set(mode, present);
      continue;
    }
    const absent = share.map((s) => (s > 0 ? 0 : 1));
    const offsets = toOffsets([...absent]);
    const start = gatherRows(substitute(p, config, mode, own, shares, options), absentRows(absent));
    const g = crossAttend(p, config, { mode, given: { tokens: start, offsets } }, context);
    all.set(mode, merge(present, g, share, offsets, size));
  }
  return all;
}

function absentRows(absent: Float32Array): Int32Array {
  return Int32Array.from([...absent.keys()].filter((i) => absent[i] === 1));
}

function merge(
  present: tf.Tensor2D | undefined,
  substituted: tf.Tensor2D,
  share: Float32Array,
  offsets: Int32Array,
  size: number,
): tf.Tensor2D {
  if (!present) return substituted;
  const index = Int32Array.from(share, (s, i) => (s > 0 ? i : size + (offsets[i] as number)));
  return gatherRows(tf.concat2d([present, substituted], 0), index);
}

/**
 * f̂_m = A_mᵀ · Σ_n w_n A_n f_n / Σ w_n over the modes that are there, for every utterance: `[size, width]`. Rows in which
 * `mode` itself is present are not used. Without the joint embedding, A is the identity: the weighted mean of the others.
 */
export function substitute(
  p: Parameters,
  config: ModelConfig,
  mode: Mode,
  own: ReadonlyMap<Mode, tf.Tensor2D>,
  shares: ReadonlyMap<Mode, Float32Array>,
  options: PassOptions,
): tf.Tensor2D {
  const plain = options.without?.has('joint-embedding') ?? false;
  const others = [...own].filter(([other]) => other !== mode);
  const size = shares.get(mode)?.length ?? 0;
  const total = new Float32Array(size);
  for (const [other] of others) shares.get(other)?.forEach((share, i) => (total[i] = (total[i] as number) + share));
  let sum: tf.Tensor2D = tf.zeros([size, config.width]);
  for (const [other, descriptor] of others) {
    const weight = (shares.get(other) as Float32Array).map((share, i) => share / Math.max(1e-6, total[i] as number));
    const z = plain ? descriptor : p.rotate(other, descriptor, 'map');
    sum = tf.add(sum, tf.mul(z, tf.tensor2d(weight, [size, 1])));
  }
  return plain ? sum : p.rotate(mode, sum, 'inverse');
}

/**
 * Query adaptive fusion: F = ⊕_m mean_{n≠m}( α_mn ⊙ f_n + (1 − α_mn) ⊙ f_m ) with
 * α_mn = σ(MLP[f_m; f_n; w_m; w_n; s_m; s_n; m; n]). The gate reads the query only, never a label.
 * Source: METHOD.md section 4. Without QAF every α is ½.
 */
function applyGates(
  p: Parameters,
  config: ModelConfig,
  f: ReadonlyMap<Mode, tf.Tensor2D>,
  shares: ReadonlyMap<Mode, Float32Array>,
  options: PassOptions,
): { fused: tf.Tensor2D; gates: tf.Tensor2D } {
  const size = shares.get('text')?.length ?? 0;
  const all = tf.concat2d(
    MODES.map((mode) => f.get(mode) as tf.Tensor2D),
    0,
  );
  // Utterance by utterance the six pairs, those of one m side by side: few large operations in place of sixty small ones.
  const own = gatherRows(all, pairRows(size, 0));
  const other = gatherRows(all, pairRows(size, 1));
  const hidden = dense(p, 'fusion.hidden', tf.concat2d([own, other, pairMarks(shares, size)], 1), 'relu');
  const learned = tf.sigmoid(dense(p, 'fusion.gate', hidden));
  const alpha = options.without?.has('qaf') ? tf.fill<tf.Rank.R2>(learned.shape, 0.5) : learned;
  const mixed = tf.add<tf.Tensor2D>(own, tf.mul(alpha, tf.sub(other, own)));
  const perMode = meanRows(mixed, toOffsets(new Array<number>(size * MODES.length).fill(PAIRS.length / MODES.length)));
  return {
    fused: tf.reshape<tf.Rank.R2>(perMode, [size, MODES.length * config.width]),
    gates: tf.reshape<tf.Rank.R2>(tf.mean(alpha, 1), [size, PAIRS.length]),
  };
}

/** Rows of the first (`side` 0) or second mode of each pair of each utterance, in descriptors stacked mode by mode. */
function pairRows(size: number, side: 0 | 1): Int32Array {
  return Int32Array.from({ length: size * PAIRS.length }, (_, row) => {
    const mode = PAIRS[row % PAIRS.length]?.[side] as Mode;
    return MODES.indexOf(mode) * size + Math.floor(row / PAIRS.length);
  });
}

/** What the gate sees of each pair beside the descriptors: shares, marks of substitution and the names of the modes. */
function pairMarks(shares: ReadonlyMap<Mode, Float32Array>, size: number): tf.Tensor2D {
  const width = 4 + 2 * MODES.length;
  const marks = new Float32Array(size * PAIRS.length * width);
  for (let i = 0; i < size; i++)
    PAIRS.forEach(([m, n], pair) => {
      const at = (i * PAIRS.length + pair) * width;
      const wm = shares.get(m)?.[i] ?? 0;
      const wn = shares.get(n)?.[i] ?? 0;
      marks.set([wm, wn, wm > 0 ? 0 : 1, wn > 0 ? 0 : 1], at);
      marks[at + 4 + MODES.indexOf(m)] = 1;
      marks[at + 4 + MODES.length + MODES.indexOf(n)] = 1;
    });
  return tf.tensor2d(marks, [size * PAIRS.length, width]);
}
