import type * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { Kernels } from './kernels.ts';

/** `dropRandom` of ops/dropout.ts on the kernels: bit by bit the same. The gradient draws the same mask again. */
export function dropRandomKernel(
  k: Kernels,
  x: tf.Tensor2D,
  { seed, threshold, scale }: { readonly seed: number; readonly threshold: number; readonly scale: number },
): tf.Tensor2D {
  const drop = (from: tf.Tensor): tf.Tensor2D => {
    const to = k.make<tf.Rank.R2>(x.shape);
    k.run.drop(k.at(to), k.at(from), x.size, seed, threshold, scale);
    return to;
  };
  return hostOp([x], () => ({ value: drop(x), gradFunc: drop }));
}
