import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { layerNorm } from '../../../src/model/ops/layerNorm.ts';
import { hostOf } from '../../../src/model/ops/rows.ts';
import { createRandom } from '../../../src/model/random.ts';
import { centralDifferences, dot, expectClose, gradientsOf, randomRow } from '../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

/** The formula, in double precision. */
function slowLayerNorm(x: readonly number[], gain: readonly number[], bias: readonly number[]): number[] {
  const width = gain.length;
  return x.map((value, i) => {
    const row = x.slice(i - (i % width), i - (i % width) + width);
    const mean = row.reduce((a, b) => a + b) / width;
    const variance = row.reduce((sum, other) => sum + (other - mean) ** 2, 0) / width;
    return ((value - mean) / Math.sqrt(variance + 1e-5)) * (gain[i % width] ?? NaN) + (bias[i % width] ?? NaN);
  });
}

const SIZE = fc.record({ rows: fc.integer({ min: 1, max: 4 }), width: fc.integer({ min: 2, max: 9 }), seed: fc.nat() });

describe('layerNorm', () => {
  it('equals the formula in double precision within 1e-5, the rounding of 32-bit floats.', () => {
    fc.assert(
      fc.property(SIZE, ({ rows, width, seed }) => {
        const random = createRandom(seed);
        const [x, gain, bias] = [randomRow(random, rows * width), randomRow(random, width), randomRow(random, width)];
        const actual = tf.tidy(() =>
          hostOf(layerNorm(tf.tensor2d(x, [rows, width]), tf.tensor1d(gain), tf.tensor1d(bias))),
        );
        expectClose(actual, slowLayerNorm(x, gain, bias), 1e-5);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the bias for a row whose values are all equal, instead of dividing by zero.', () => {
    const y = tf.tidy(() =>
      hostOf(layerNorm(tf.tensor2d([[7, 7, 7]]), tf.tensor1d([2, 2, 2]), tf.tensor1d([0.5, 0, -1]))),
    );
    expect([...y]).toEqual([0.5, 0, -1]);
  });

  it('normalises the sum of input and residual, with the same gradient for both.', () => {
    const random = createRandom(7);
    const [x, residual, dy] = [randomRow(random, 12), randomRow(random, 12), randomRow(random, 12)];
    const [gain, bias] = [randomRow(random, 4), randomRow(random, 4)];
    const total = x.map((value, i) => value + (residual[i] ?? 0));
    const inputs = [tf.tensor2d(x, [3, 4]), tf.tensor2d(residual, [3, 4]), tf.tensor1d(gain), tf.tensor1d(bias)];
    const [dx, dResidual] = gradientsOf((t, r, g, b) => layerNorm(t, g, b, { residual: r }), inputs, dy);
    const alone = [tf.tensor2d(total, [3, 4]), tf.tensor1d(gain), tf.tensor1d(bias)];
    const [dTotal] = gradientsOf((t, g, b) => layerNorm(t, g, b), alone, dy);
    tf.dispose([...inputs, ...alone]);
    expectClose(dx ?? [], dTotal ?? [], 1e-5);
    expectClose(dResidual ?? [], dTotal ?? [], 1e-5);
  });

  it('forgets the offset and the scale of its input.', () => {
    const normal = (x: number[]): Float32Array =>
      tf.tidy(() => hostOf(layerNorm(tf.tensor2d([x]), tf.ones([4]), tf.zeros([4]))));
    expectClose(normal([1, 2, 3, 5]), normal([110, 120, 130, 150]), 1e-5);
  });

  it('has the gradients that central differences of the formula have, within 1e-4, for each of its inputs.', () => {
    fc.assert(
      fc.property(SIZE, ({ rows, width, seed }) => {
        const random = createRandom(seed);
        const [x, gain, bias] = [randomRow(random, rows * width), randomRow(random, width), randomRow(random, width)];
        fc.pre(Math.min(...spreads(x, width)) > 0.1); // a nearly constant row has no usable difference quotient
        const dy = randomRow(random, rows * width);
        const inputs = [tf.tensor2d(x, [rows, width]), tf.tensor1d(gain), tf.tensor1d(bias)];
        const [dx, dGain, dBias] = gradientsOf((t, g, b) => layerNorm(t, g, b), inputs, dy);
        tf.dispose(inputs);
        const along = (y: number[]): number => dot(y, dy);
        expectClose(
          dx ?? [],
          centralDifferences((v) => along(slowLayerNorm(v, gain, bias)), x),
          1e-4,
        );
        expectClose(
          dGain ?? [],
          centralDifferences((v) => along(slowLayerNorm(x, v, bias)), gain),
          1e-4,
        );
        expectClose(
          dBias ?? [],
          centralDifferences((v) => along(slowLayerNorm(x, gain, v)), bias),
          1e-4,
        );
      }),
      { numRuns: 30 },
    );
  });
});

function spreads(x: readonly number[], width: number): number[] {
  return Array.from({ length: x.length / width }, (_, r) => {
    const row = x.slice(r * width, (r + 1) * width);
    return Math.max(...row) - Math.min(...row);
  });
}
