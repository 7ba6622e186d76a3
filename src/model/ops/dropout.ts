import * as tf from '@tensorflow/tfjs-core';
import { dropRandomKernel } from '../kernels/dropout.ts';
import { kernels } from '../kernels/kernels.ts';

/**
 * Zeroes a random share `rate` of the values and scales up the rest. Which ones follows from `seed` (a whole number below
 * 2³²) and their position alone, so that every backend drops the same ones and the kernel need not store them.
 * Source: Srivastava et al. 2014; the integer hash is two rounds of multiply and xor-shift [our decision].
 */
export function dropRandom(x: tf.Tensor2D, rate: number, seed: number): tf.Tensor2D {
  const given = { seed, threshold: Math.round((1 - rate) * 2 ** 32), scale: Math.fround(1 / (1 - rate)) };
  const k = kernels();
  if (k) return dropRandomKernel(k, x, given);
  const mask = Float32Array.from({ length: x.size }, (_, i) => (isKept(seed, i, given.threshold) ? given.scale : 0));
  return tf.mul<tf.Tensor2D>(x, tf.tensor2d(mask, x.shape));
}

function isKept(seed: number, position: number, threshold: number): boolean {
  let u = Math.imul(seed + position, 0x9e3779b1);
  u = Math.imul(u ^ (u >>> 16), 0x7feb352d);
  return (u ^ (u >>> 15)) >>> 0 < threshold;
}
