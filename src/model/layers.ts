import type * as tf from '@tensorflow/tfjs-core';
import { affine } from './ops/affine.ts';
import { dropRandom } from './ops/dropout.ts';
import { layerNorm } from './ops/layerNorm.ts';
import { bilstm as bilstmOp, type Direction } from './ops/lstm.ts';
import type { RowSequences } from './ops/ragged.ts';
import type { Parameters } from './parameters.ts';
import type { Random } from './random.ts';

/** Present while training: the dropout rate and where its randomness comes from. */
export type TrainingMode = { readonly dropout: number; readonly random: Random };

/** `x · w + b` for the parameters `<name>.w` and `<name>.b`: `[rows, in]` → `[rows, out]`. */
export function dense(p: Parameters, name: string, x: tf.Tensor2D, activation?: 'relu'): tf.Tensor2D {
  return linear(p, x, { weights: `${name}.w`, bias: `${name}.b` }, activation);
}

/** `x · weights + bias` for parameters by their whole names. */
export function linear(
  p: Parameters,
  x: tf.Tensor2D,
  names: { readonly weights: string; readonly bias?: string },
  activation?: 'relu',
): tf.Tensor2D {
  return affine(x, p.tensor(names.weights), names.bias === undefined ? undefined : p.vector(names.bias), activation);
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
  const gates = linear(p, x, { weights: `${name}.lstm.x`, bias: `${name}.lstm.b` });
  const direction = (way: 'forward' | 'backward', sequences: RowSequences): Direction => {
    const key = `${name}.lstm.${way}`;
    return { recurrent: p.tensor(key), sequences, prepared: p.recurrent(key) };
  };
  return bilstmOp(gates, [direction('forward', forward), direction('backward', backward)]);
}

/** Zeroes a random share of the values and scales up the rest; the identity when not training. */
export function dropout(x: tf.Tensor2D, training: TrainingMode | undefined): tf.Tensor2D {
  if (!training || training.dropout === 0) return x;
  return dropRandom(x, training.dropout, Math.floor(training.random() * 2 ** 32));
}
