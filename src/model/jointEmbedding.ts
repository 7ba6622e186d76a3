import * as tf from '@tensorflow/tfjs-core';
import { kernels } from './kernels/kernels.ts';
import { reflectKernel } from './kernels/reflect.ts';

/**
 * Applies an orthogonal map row by row, `[rows, width]`: the product of the Householder reflections whose normals are the
 * rows of `normals` `[reflections, width]`. `inverse` applies them in the opposite order, which is the exact inverse
 * (= the transpose), for any normals. Source: METHOD.md section 3; the paper says "invertible linear", orthogonal by
 * construction is our decision.
 */
export function rotate(x: tf.Tensor2D, normals: tf.Tensor2D, direction: 'map' | 'inverse'): tf.Tensor2D {
  const [reflections, width] = normals.shape;
  const k = x.size > 0 && width % 4 === 0 ? kernels() : undefined;
  if (k) return reflectKernel(k, x, normals, direction === 'inverse');
  let y = x;
  for (let i = 0; i < reflections; i++) {
    const row = direction === 'map' ? i : reflections - 1 - i;
    const v = tf.slice2d(normals, [row, 0], [1, width]);
    const unit = tf.div<tf.Tensor2D>(v, tf.sqrt(tf.add(tf.sum(tf.square(v)), 1e-12)));
    // Not two matrix products: the wasm backend caches a product by its right-hand data, whatever its shape, so the same
    // vector as a column and then as a row gives garbage.
    const along = tf.sum(tf.mul(y, unit), 1, true);
    y = tf.sub(y, tf.mul(tf.mul(along, 2), unit));
  }
  return y;
}

/** An orthogonal map as a matrix and its inverse (= transpose), `[width, width]`: for weights that do not change. */
export type RotationMatrices = { readonly map: tf.Tensor2D; readonly inverse: tf.Tensor2D };

/** Multiplies the reflections out, so that {@link rotate} becomes one matrix product: `x · map`. */
export function rotationMatrices(normals: tf.Tensor2D): RotationMatrices {
  return tf.tidy(() => {
    const map = rotate(tf.eye(normals.shape[1]), normals, 'map');
    return { map, inverse: tf.transpose(map) };
  });
}
