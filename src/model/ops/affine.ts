import * as tf from '@tensorflow/tfjs-core';
import { affineKernel } from '../kernels/affine.ts';
import { kernels } from '../kernels/kernels.ts';

/**
 * `x · w (+ bias)`, cut at zero for `relu`: `[rows, in]` → `[rows, out]`. One operation with one gradient. No rows give
 * no rows.
 */
export function affine(x: tf.Tensor2D, w: tf.Tensor2D, bias?: tf.Tensor1D, activation?: 'relu'): tf.Tensor2D {
  const k = x.size > 0 ? kernels() : undefined;
  if (k) return affineKernel(k, x, w, bias, activation === 'relu');
  const product = tf.matMul<tf.Tensor2D>(x, w);
  const y = bias ? tf.add<tf.Tensor2D>(product, bias) : product;
  return activation === 'relu' ? tf.relu(y) : y;
}
