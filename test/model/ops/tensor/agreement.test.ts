import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../../src/model/backend.ts';
import { attend } from '../../../../src/model/ops/attention.ts';
import type { AttentionSource } from '../../../../src/model/ops/attentionSource.ts';
import { installGradients } from '../../../../src/model/ops/gradients.ts';
import { layerNorm } from '../../../../src/model/ops/layerNorm.ts';
import { lstm, type RowSequences } from '../../../../src/model/ops/lstm.ts';
import { type Offsets, toOffsets, totalOf } from '../../../../src/model/ops/ragged.ts';
import { gatherRows, meanRows } from '../../../../src/model/ops/rows.ts';
import { tensorAttend } from '../../../../src/model/ops/tensor/attention.ts';
import { tensorLayerNorm } from '../../../../src/model/ops/tensor/layerNorm.ts';
import { tensorLstm } from '../../../../src/model/ops/tensor/lstm.ts';
import { paddedIndex, tensorGatherRows, tensorMeanRows } from '../../../../src/model/ops/tensor/rows.ts';
import { createRandom, type Random, shuffle } from '../../../../src/model/random.ts';
import { expectClose, gradientsOf, onHost, randomRow } from '../../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

type Op = (...inputs: tf.Tensor2D[]) => tf.Tensor;

/**
 * Expects both implementations to give the same value and the same gradients on the cpu backend, within 1e-4: sums of at
 * most some dozen 32-bit products in another order.
 */
function expectSame(host: Op, tensor: Op, shapes: readonly (readonly [number, number])[], random: Random): void {
  const inputs = shapes.map(([rows, width]) => tf.tensor2d(randomRow(random, rows * width), [rows, width]));
  const value = (f: Op): Float32Array => onHost(() => f(...inputs).dataSync<'float32'>());
  const expected = value(host);
  expectClose(value(tensor), expected, 1e-4);
  const dy = randomRow(random, expected.length);
  const gradients = gradientsOf(host, inputs, dy);
  gradientsOf(tensor, inputs, dy).forEach((gradient, i) => expectClose(gradient, gradients[i] ?? [], 1e-4));
  tf.dispose(inputs);
}

const COUNTS = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 6 });

describe('out of tensor operations, as on a device,', () => {
  it('gathering rows is the same, for rows that repeat and for rows of zeros.', () => {
    const index = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(index, fc.nat(), (list, seed) => {
        const rows = Int32Array.from(list);
        expectSame((x) => gatherRows(x, rows), (x) => tensorGatherRows(x, rows), [[5, 3]], createRandom(seed)); // prettier-ignore
      }),
      { numRuns: 40 },
    );
  });

  it('means of rows are the same, for items without rows too.', () => {
    fc.assert(
      fc.property(COUNTS, fc.nat(), (counts, seed) => {
        const offsets = toOffsets(counts);
        const shapes = [[totalOf(offsets), 3]] as const;
        expectSame((x) => meanRows(x, offsets), (x) => tensorMeanRows(x, offsets), shapes, createRandom(seed)); // prettier-ignore
      }),
      { numRuns: 40 },
    );
  });

  it('layer normalisation is the same, with and without a residual.', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.nat(), (rows, withResidual, seed) => {
        const shapes = [[rows, 6], [1, 6], [1, 6], ...(withResidual ? [[rows, 6] as const] : [])] as [number, number][];
        const flat = (x: tf.Tensor2D | undefined): tf.Tensor1D => tf.reshape(x ?? tf.zeros([6]), [6]);
        expectSame(
          (x, gain, bias, residual) => layerNorm(x, flat(gain), flat(bias), { residual }),
          (x, gain, bias, residual) =>
            tensorLayerNorm(x, { gain: flat(gain), bias: flat(bias), epsilon: 1e-5 }, residual),
          shapes,
          createRandom(seed),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('an LSTM is the same, for sequences of any length and rows in none of them.', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.nat(), (rows, seed) => {
        const random = createRandom(seed);
        const sequences: number[][] = [[], [], []];
        for (const row of shuffle([...Array(rows).keys()], random)) sequences[Math.floor(random() * 4.5)]?.push(row);
        sequences[0]?.push(rows);
        const run =
          (f: (gates: tf.Tensor2D, recurrent: tf.Tensor2D, sequences: RowSequences) => tf.Tensor2D): Op =>
          (gates, recurrent) =>
            f(gates, recurrent, sequences);
        expectSame(run(lstm), run(tensorLstm), [[rows + 1, 12], [3, 12]], random); // prettier-ignore
      }),
      { numRuns: 30 },
    );
  });

  it('attention is the same, for any number of sources, excluded ones and items without queries or keys.', () => {
    const given = fc.integer({ min: 1, max: 4 }).chain((items) => {
      const counts = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: items, maxLength: items });
      const weights = fc.array(fc.constantFrom(0, 0.25, 1), { minLength: items, maxLength: items });
      return fc.record({
        queries: counts,
        sources: fc.array(fc.tuple(counts, weights), { minLength: 1, maxLength: 3 }),
      });
    });
    fc.assert(
      fc.property(given, fc.nat(), ({ queries, sources }, seed) => {
        const offsets = toOffsets(queries);
        const made = sources.map(([counts, weights]) => [toOffsets(counts), Float32Array.from(weights)] as const);
        const run =
          (f: (q: tf.Tensor2D, offsets: Offsets, sources: AttentionSource[], heads: number) => tf.Tensor2D): Op =>
          (q, ...keysValues) => {
            const read = made.map(([o, weights], n) => ({
              keysValues: keysValues[n] as tf.Tensor2D,
              offsets: o,
              weights,
            }));
            return f(q, offsets, read, 2);
          };
        const shapes = [[totalOf(offsets), 4], ...made.map(([o]) => [totalOf(o), 8])] as [number, number][];
        expectSame(run(attend), run(tensorAttend), shapes, createRandom(seed));
      }),
      { numRuns: 50 },
    );
  });

  it('attention never reads what is excluded: infinite keys change nothing.', () => {
    const random = createRandom(3);
    const [q, keysValues] = [randomRow(random, 2 * 4), randomRow(random, 3 * 8)];
    const run = (rows: number[]): Float32Array =>
      onHost(() => {
        const source = {
          keysValues: tf.tensor2d(rows, [3, 8]),
          offsets: toOffsets([1, 2]),
          weights: Float32Array.of(0, 1),
        };
        return tensorAttend(tf.tensor2d(q, [2, 4]), toOffsets([1, 1]), [source], 2).dataSync<'float32'>();
      });
    const spoiled = run(keysValues.map((value, i) => (i < 8 ? Infinity : value)));
    expect([...spoiled]).toEqual([...run(keysValues)]);
    expect([...spoiled.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  });
});

describe('paddedIndex', () => {
  it('says where each place of the block comes from, -1 for padding and for items that do not count.', () => {
    const offsets = toOffsets([2, 0, 3]);
    expect(paddedIndex(offsets)).toEqual({ index: Int32Array.of(0, 1, -1, -1, -1, -1, 2, 3, 4), longest: 3 });
    expect(paddedIndex(offsets, (item) => item === 0)).toEqual({
      index: Int32Array.of(0, 1, -1, -1, -1, -1),
      longest: 2,
    });
    expect(paddedIndex(toOffsets([0, 0]))).toEqual({ index: Int32Array.of(-1, -1), longest: 1 });
  });
});
