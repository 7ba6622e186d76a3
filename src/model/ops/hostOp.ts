import * as tf from '@tensorflow/tfjs-core';

/** What an operation of ours gives: its value, and the gradient of each input from that of the value and what was kept. */
export type HostResult = {
  readonly value: tf.Tensor2D;
  readonly gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
};

/** Keeps tensors until the gradient has been taken; does nothing while none is recorded. */
export type Keep = (tensors: tf.Tensor[]) => void;

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
 * Runs an operation that is computed by us over `inputs`. Only while gradients are recorded does it go through the tape,
 * which costs more than many of these small operations themselves.
 */
export function hostOp(inputs: readonly tf.Tensor[], run: (keep: Keep) => HostResult): tf.Tensor2D {
  if (!tf.engine().isTapeOn()) return run(() => undefined).value;
  return tf.customGrad((...args) => run(args[args.length - 1] as unknown as Keep))(...inputs);
}
