import * as tf from '@tensorflow/tfjs-core';

/** What an operation computed on the host gives: its value, and the gradient of each input. */
export type HostResult = { readonly value: tf.Tensor2D; readonly gradFunc: (dy: tf.Tensor) => tf.Tensor | tf.Tensor[] };

/**
 * Runs an operation that is computed on the host over `inputs`. Only while gradients are recorded does it go through the
 * tape, which costs more than many of these small operations themselves.
 */
export function hostOp(inputs: readonly tf.Tensor[], run: () => HostResult): tf.Tensor2D {
  if (!tf.engine().isTapeOn()) return run().value;
  return tf.customGrad(run)(...inputs);
}
