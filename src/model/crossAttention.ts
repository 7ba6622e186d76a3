import type * as tf from '@tensorflow/tfjs-core';
import type { Mode, ModelConfig } from './config.ts';
import { dense, dropout, normalise, type TrainingMode } from './layers.ts';
import type { ModeTokens } from './encoders.ts';
import { affine } from './ops/affine.ts';
import { attend } from './ops/attention.ts';
import type { AttentionSource } from './ops/attentionSource.ts';
import type { Parameters } from './parameters.ts';

/** Keys and values of every present mode at every layer; made once and used by every central mode. */
export type KeysValues = readonly ReadonlyMap<Mode, tf.Tensor2D>[];

/** Projects the tokens of each mode to keys and values for each layer of the network. */
export function toKeysValues(p: Parameters, config: ModelConfig, modes: ReadonlyMap<Mode, ModeTokens>): KeysValues {
  return Array.from(
    { length: config.layers },
    (_, l) => new Map([...modes].map(([mode, { tokens }]) => [mode, affine(tokens, p.tensor(`acn.${l}.${mode}.kv`))])),
  );
}

/**
 * The adaptive cross-attended network for one central mode: L layers of
 * g ← g + Σ_{n≠m} w_n · MHA(g, X_n, X_n) / Σ_{n≠m} w_n, layer normalisation, feed-forward, layer normalisation.
 * An absent mode has weight 0: it is left out of the sum and the others are renormalised. With no other mode, g passes
 * through the feed-forward layers alone. `[rows, width]` → `[rows, width]`.
 * Source: AMuSE (arXiv 2401.15164) equation 1, with the mask of AM²-EmoJE as METHOD.md section 2 reads it.
 * @param shareOf share of a mode in each utterance, 0 = absent
 */
export function crossAttend(
  p: Parameters,
  config: ModelConfig,
  central: { readonly mode: Mode; readonly given: ModeTokens },
  context: {
    readonly modes: ReadonlyMap<Mode, ModeTokens>;
    readonly keysValues: KeysValues;
    readonly shareOf: (mode: Mode) => Float32Array;
    readonly training?: TrainingMode | undefined;
  },
): tf.Tensor2D {
  const { mode, given } = central;
  const weights = otherWeights(mode, context.modes, context.shareOf, given.offsets.length - 1);
  let g = given.tokens;
  for (let l = 0; l < config.layers; l++) {
    const name = `acn.${l}.${mode}`;
    const sources: AttentionSource[] = [...weights].map(([other, weight]) => ({
      keysValues: context.keysValues[l]?.get(other) as tf.Tensor2D,
      offsets: (context.modes.get(other) as ModeTokens).offsets,
      weights: weight,
    }));
    const seen =
      sources.length > 0 ? attend(affine(g, p.tensor(`${name}.q`)), given.offsets, sources, config.heads) : undefined;
    const heard = seen && dropout(affine(seen, p.tensor(`${name}.o`)), context.training);
    g = normalise(p, `${name}.norm1`, g, heard);
    const inner = dropout(dense(p, `${name}.ff2`, dense(p, `${name}.ff1`, g, 'relu')), context.training);
    g = normalise(p, `${name}.norm2`, g, inner);
  }
  return g;
}

/** w_n / Σ w over the other modes that are present, per utterance; 0 where none is. */
function otherWeights(
  central: Mode,
  modes: ReadonlyMap<Mode, ModeTokens>,
  shareOf: (mode: Mode) => Float32Array,
  size: number,
): Map<Mode, Float32Array> {
  const others = [...modes.keys()].filter((mode) => mode !== central);
  const total = new Float32Array(size);
  for (const other of others) shareOf(other).forEach((share, i) => (total[i] = (total[i] as number) + share));
  return new Map(
    others.map((other) => [other, shareOf(other).map((share, i) => (share > 0 ? share / (total[i] as number) : 0))]),
  );
}
