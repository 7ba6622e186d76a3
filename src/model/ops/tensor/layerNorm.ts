import * as tf from '@tensorflow/tfjs-core';

/**
 * Layer normalisation of each row of `x` (plus `residual`) like `layerNorm`, out of tensor operations: `[rows, width]`.
 * @param epsilon added to the variance under the root
 */
export function tensorLayerNorm(
  x: tf.Tensor2D,
  affine: { readonly gain: tf.Tensor; readonly bias: tf.Tensor; readonly epsilon: number },
  residual?: tf.Tensor2D,
): tf.Tensor2D {
  const input = residual ? tf.add<tf.Tensor2D>(x, residual) : x;
  const centred = tf.sub(input, tf.mean(input, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  const normal = tf.mul(centred, tf.rsqrt(tf.add(variance, affine.epsilon)));
  return tf.add(tf.mul(normal, affine.gain), affine.bias);
}
