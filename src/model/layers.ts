import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from './ops/layerNorm.ts';
import { lstm, type RowSequences } from './ops/lstm.ts';
import type { Parameters } from './parameters.ts';
import type { Random } from './random.ts';

/** Present while training: the dropout rate and where its randomness comes from. */
export type TrainingMode = { readonly dropout: number; readonly random: Random };

/** `x · w + b` for the parameters `<name>.w` and `<name>.b`: `[rows, in]` → `[rows, out]`. */
export function dense(p: Parameters, name: string, x: tf.Tensor2D, activation?: 'relu'): tf.Tensor2D {
  return affine(p, x, { weights: `${name}.w`, bias: `${name}.b` }, activation);
}

/**
 * `x · weights + bias`, in one operation where nothing is trained: the fused operation's gradient multiplies with
 * transposed operands, which the wasm backend does slowly.
 */
export function affine(
  p: Parameters,
  x: tf.Tensor2D,
  names: { readonly weights: string; readonly bias: string },
  activation?: 'relu',
): tf.Tensor2D {
  const w = p.tensor(names.weights);
  const b = p.vector(names.bias);
  if (p.isFrozen) return tf.fused.matMul({ a: x, b: w, bias: b, ...(activation && { activation }) }) as tf.Tensor2D;
  const y = tf.add<tf.Tensor2D>(tf.matMul(x, w), b);
  return activation === 'relu' ? tf.relu(y) : y;
}

/** Layer normalisation of `x`, or of `x + residual`, with the parameters `<name>.gain` and `<name>.bias`. */
export function normalise(p: Parameters, name: string, x: tf.Tensor2D, residual?: tf.Tensor2D): tf.Tensor2D {
  const [gain, bias] = [`${name}.gain`, `${name}.bias`] as const;
  return layerNorm(x, p.vector(gain), p.vector(bias), { residual, gainValues: p.host(gain), biasValues: p.host(bias) });
}

/**
 * Runs both directions of `<name>.lstm` over packed rows: `[rows, in]` → `[rows, 2 · hidden]`, forward beside backward.
 * @param forward sequences in reading order
 * @param backward sequences in reverse order; shorter ones cut the future
 */
export function bilstm(
  p: Parameters,
  name: string,
  x: tf.Tensor2D,
  forward: RowSequences,
  backward: RowSequences,
): tf.Tensor2D {
  const gates = affine(p, x, { weights: `${name}.lstm.x`, bias: `${name}.lstm.b` });
  const [rows, width] = gates.shape;
  const run = (direction: 'forward' | 'backward', at: number, sequences: RowSequences): tf.Tensor2D => {
    const key = `${name}.lstm.${direction}`;
    return lstm(tf.slice2d(gates, [0, at], [rows, width / 2]), p.tensor(key), sequences, p.recurrent(key));
  };
  return tf.concat2d([run('forward', 0, forward), run('backward', width / 2, backward)], 1);
}

/** Zeroes a random share of the values and scales up the rest; the identity when not training. */
export function dropout<T extends tf.Tensor>(x: T, training: TrainingMode | undefined): T {
  if (!training || training.dropout === 0) return x;
  const keep = 1 - training.dropout;
  const mask = new Float32Array(x.size);
  for (let i = 0; i < mask.length; i++) mask[i] = training.random() < keep ? 1 / keep : 0;
  return tf.mul<T>(x, tf.tensor(mask, x.shape));
}
