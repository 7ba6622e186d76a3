import * as tf from '@tensorflow/tfjs-core';

/** What an operation computed on the host gives: its value, and the gradient of each input. */
export type HostResult = { readonly value: tf.Tensor2D; readonly gradFunc: (dy: tf.Tensor) => tf.Tensor | tf.Tensor[] };

/** The backends whose tensors lie in this process's memory, so that reading them neither waits nor crosses a bus. */
const ON_HOST: ReadonlySet<string> = new Set(['wasm', 'cpu']);

/**
 * Whether the started backend keeps tensors where the host kernels can read them at once. Elsewhere each operation of this
 * folder is made of tensor operations (folder `tensor`), which give the same within rounding.
 */
export function isHostReadable(): boolean {
  return ON_HOST.has(tf.getBackend());
}

/**
 * Runs an operation that is computed on the host over `inputs`. Only while gradients are recorded does it go through the
 * tape, which costs more than many of these small operations themselves.
 */
export function hostOp(inputs: readonly tf.Tensor[], run: () => HostResult): tf.Tensor2D {
  if (!tf.engine().isTapeOn()) return run().value;
  return tf.customGrad(run)(...inputs);
}
