import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { createRandom } from '../../../src/model/random.ts';
import { expectClose, gradientsOf, randomRow } from '../../support/tinyModel.ts';

/** Stock and fast gradients of the same product, taken before and after {@link installGradients}. */
let stock: tf.GradConfig | undefined;

beforeAll(async () => {
  await startBackend('cpu');
  await import('@tensorflow/tfjs');
  stock = tf.getGradient('BatchMatMul');
  await installGradients();
});

describe('installGradients', () => {
  it('replaces the stock gradient of matrix products, once however often it is called.', async () => {
    const fast = tf.getGradient('BatchMatMul');
    expect(stock).toBeDefined();
    expect(fast).not.toBe(stock);
    await Promise.all([installGradients(), installGradients()]);
    expect(tf.getGradient('BatchMatMul')).toBe(fast);
  });

  it('gives what the stock gradient gives, within 1e-6, for each of the four ways to transpose.', () => {
    const size = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(size, size, size, fc.boolean(), fc.boolean(), fc.nat(), (m, k, n, flipA, flipB, seed) => {
        const random = createRandom(seed);
        const a = tf.tensor2d(randomRow(random, m * k), flipA ? [k, m] : [m, k]);
        const b = tf.tensor2d(randomRow(random, k * n), flipB ? [n, k] : [k, n]);
        const dy = randomRow(random, m * n);
        const product = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor => tf.matMul(x, y, flipA, flipB);
        const fast = gradientsOf(product, [a, b], dy);
        const slow = withStock(() => gradientsOf(product, [a, b], dy));
        tf.dispose([a, b]);
        expectClose(fast[0] ?? [], slow[0] ?? [], 1e-6);
        expectClose(fast[1] ?? [], slow[1] ?? [], 1e-6);
      }),
      { numRuns: 40 },
    );
  });

  it('also holds for batches of products.', () => {
    const random = createRandom(5);
    const a = tf.tensor3d(randomRow(random, 2 * 3 * 4), [2, 3, 4]);
    const b = tf.tensor3d(randomRow(random, 2 * 4 * 5), [2, 4, 5]);
    const dy = randomRow(random, 2 * 3 * 5);
    const product = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.matMul(x, y);
    const fast = gradientsOf(product, [a, b], dy);
    const slow = withStock(() => gradientsOf(product, [a, b], dy));
    tf.dispose([a, b]);
    fast.forEach((gradient, i) => expectClose(gradient, slow[i] ?? [], 1e-6));
  });
});

function withStock<T>(f: () => T): T {
  const fast = tf.getGradient('BatchMatMul');
  const swap = (gradient: tf.GradConfig): void => {
    tf.unregisterGradient('BatchMatMul');
    tf.registerGradient(gradient);
  };
  swap(stock as tf.GradConfig);
  try {
    return f();
  } finally {
    swap(fast);
  }
}
