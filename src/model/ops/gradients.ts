import * as tf from '@tensorflow/tfjs-core';

let installed: Promise<void> | undefined;

/**
 * Registers the gradients of all tensor operations in this process, once; only training needs them. Then replaces the gradient of matrix products for this process by one that transposes first: the stock gradient multiplies
 * with transposed operands, which the wasm backend does 10 to 30 times slower. Results agree within rounding.
 */
export function installGradients(): Promise<void> {
  installed ??= install();
  return installed;
}

async function install(): Promise<void> {
  await import('@tensorflow/tfjs');
  tf.unregisterGradient('BatchMatMul');
  tf.registerGradient({
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attrs) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const d = dy as tf.Tensor;
      if (!transposeA && !transposeB) return { a: () => tf.matMul(d, flip(b)), b: () => tf.matMul(flip(a), d) };
      if (!transposeA) return { a: () => tf.matMul(d, b), b: () => tf.matMul(flip(d), a) };
      if (!transposeB) return { a: () => tf.matMul(b, flip(d)), b: () => tf.matMul(a, d) };
      return { a: () => tf.matMul(flip(b), flip(d)), b: () => tf.matMul(flip(d), flip(a)) };
    },
  });
}

function flip(x: tf.Tensor): tf.Tensor {
  return tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
}
