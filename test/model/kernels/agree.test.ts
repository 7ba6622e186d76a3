import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { rotate } from '../../../src/model/jointEmbedding.ts';
import { kernels } from '../../../src/model/kernels/kernels.ts';
import { affine } from '../../../src/model/ops/affine.ts';
import { attend } from '../../../src/model/ops/attention.ts';
import { dropRandom } from '../../../src/model/ops/dropout.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { layerNorm } from '../../../src/model/ops/layerNorm.ts';
import { bilstm, lstm, type LstmState, lstmStep, prepareRecurrent } from '../../../src/model/ops/lstm.ts';
import { type RowSequences, toOffsets, totalOf } from '../../../src/model/ops/ragged.ts';
import { gatherRows, meanRows } from '../../../src/model/ops/rows.ts';
import { createRandom, type Random, shuffle } from '../../../src/model/random.ts';
import { gradientsOf, randomRow } from '../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
  await startBackend('wasm');
});

/** An operation over tensors of the given shapes. */
type Case = { readonly shapes: readonly number[][]; readonly op: (...inputs: tf.Tensor2D[]) => tf.Tensor };

const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));

function counts(random: Random, items: number, most: number): number[] {
  return Array.from({ length: items }, () => (random() < 0.2 ? 0 : between(random, 1, most)));
}

/** Rows dealt to a few sequences; about a fifth belong to none. */
function deal(random: Random, rows: number): RowSequences {
  const sequences: number[][] = Array.from({ length: between(random, 1, 9) }, () => []);
  for (const row of shuffle([...Array(rows).keys()], random))
    if (random() < 0.8) sequences[Math.floor(random() * sequences.length)]?.push(row);
  return sequences;
}

/** One case of each operation; sizes are not multiples of the kernels' tiles. */
const CASES: Readonly<Record<string, (random: Random) => Case>> = {
  'a product': (random) => {
    const [m, k, n] = [between(random, 1, 40), between(random, 1, 70), between(random, 1, 45)];
    return {
      shapes: [
        [m, k],
        [k, n],
      ],
      op: (x, w) => affine(x, w),
    };
  },
  'a product of many rows, more than are packed at once': (random) => {
    const [m, k, n] = [between(random, 500, 1100), between(random, 1, 9), between(random, 1, 12)];
    return {
      shapes: [
        [m, k],
        [k, n],
      ],
      op: (x, w) => affine(x, w),
    };
  },
  'a product with a bias, cut at zero': (random) => {
    const [m, k, n] = [between(random, 1, 20), between(random, 500, 1100), between(random, 1, 45)];
    return {
      shapes: [[m, k], [k, n], [n]],
      op: (x, w, b) => affine(x, w, b as unknown as tf.Tensor1D, 'relu'),
    };
  },
  'a bidirectional LSTM': (random) => {
    const [rows, hidden] = [between(random, 1, 60), 4 * between(random, 1, 5)];
    const [forward, backward] = [deal(random, rows), deal(random, rows)];
    return {
      shapes: [
        [rows, 8 * hidden],
        [hidden, 4 * hidden],
        [hidden, 4 * hidden],
      ],
      op: (gates, f, b) =>
        bilstm(gates, [
          { recurrent: f, sequences: forward },
          { recurrent: b, sequences: backward },
        ]),
    };
  },
  'attention to two sources': (random) => {
    const [items, heads] = [between(random, 1, 6), between(random, 1, 3)];
    const width = heads * 4 * between(random, 1, 3);
    const [q, a, b] = [
      counts(random, items, 7).map((n) => n + 1),
      counts(random, items, 9),
      counts(random, items, 1),
    ].map(toOffsets) as [Int32Array, Int32Array, Int32Array];
    const share = Float32Array.from({ length: items }, () => (random() < 0.3 ? 0 : random()));
    const padded = (offsets: Int32Array): number => Math.max(1, totalOf(offsets));
    return {
      shapes: [
        [totalOf(q), width],
        [padded(a), 2 * width],
        [padded(b), 2 * width],
      ],
      op: (queries, x, y) =>
        attend(
          queries,
          q,
          [
            { keysValues: x, offsets: a, weights: share },
            { keysValues: y, offsets: b, weights: share.map((s) => 1 - s) },
          ],
          heads,
        ),
    };
  },
  'layer normalisation with a residual': (random) => {
    const [rows, width] = [between(random, 1, 20), 4 * between(random, 1, 9)];
    return {
      shapes: [[rows, width], [width], [width], [rows, width]],
      op: (x, g, b, r) => layerNorm(x, g, b, { residual: r }),
    };
  },
  'gathering rows, some of them twice and some not at all': (random) => {
    const [rows, width] = [between(random, 1, 9), 4 * between(random, 1, 5)];
    const index = Int32Array.from({ length: between(random, 1, 20) }, () => between(random, -1, rows - 1));
    return { shapes: [[rows, width]], op: (x) => gatherRows(x, index) };
  },
  'the mean of rows': (random) => {
    const offsets = toOffsets(counts(random, between(random, 1, 9), 6));
    return { shapes: [[Math.max(1, totalOf(offsets)), 8]], op: (x) => meanRows(x, offsets) };
  },
  dropout: (random) => {
    const seed = Math.floor(random() * 2 ** 32);
    const rate = random() * 0.9;
    return {
      shapes: [[between(random, 1, 9), between(random, 1, 40)]],
      op: (x) => dropRandom(x, rate, seed),
    };
  },
  'reflections and their inverse': (random) => {
    const [rows, width, reflections] = [between(random, 1, 9), 4 * between(random, 1, 6), between(random, 1, 5)];
    const direction = random() < 0.5 ? 'map' : 'inverse';
    return {
      shapes: [
        [rows, width],
        [reflections, width],
      ],
      op: (x, v) => rotate(x, v, direction),
    };
  },
};

/** The values of an operation and the gradient of each input on one backend. */
async function resultsOn(backend: 'cpu' | 'wasm', { shapes, op }: Case, seed: number): Promise<Float32Array[]> {
  await startBackend(backend);
  expect(kernels() !== undefined).toBe(backend === 'wasm');
  const random = createRandom(seed);
  const inputs = shapes.map((shape) =>
    tf.tensor(
      randomRow(
        random,
        shape.reduce((a, b) => a * b, 1),
      ),
      shape,
    ),
  );
  const value = tf.tidy(() =>
    op(...(inputs as tf.Tensor2D[]))
      .dataSync<'float32'>()
      .slice(),
  );
  const gradients = gradientsOf(op, inputs, randomRow(random, value.length));
  tf.dispose(inputs);
  return [value, ...gradients];
}

/** The largest difference over the largest value (or 1). */
function relativeDifference(a: Float32Array, b: Float32Array): number {
  const size = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN)) / size), 0);
}

describe.each(Object.entries(CASES))('the kernel of %s', (_name, draw) => {
  it('gives the values and the gradients of the plain loops within 1e-5 of the largest, for any sizes.', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const given = draw(createRandom(seed));
        const slow = await resultsOn('cpu', given, seed);
        const fast = await resultsOn('wasm', given, seed);
        expect(fast.map((array) => array.length)).toEqual(slow.map((array) => array.length));
        fast.forEach((array, i) =>
          expect(relativeDifference(array, slow[i] as Float32Array)).toBeLessThanOrEqual(1e-5),
        );
      }),
      { numRuns: 25 },
    );
  });

  it('gives the same bits when asked again, and leaves no tensor behind.', async () => {
    const given = draw(createRandom(3));
    const first = await resultsOn('wasm', given, 3);
    const before = tf.memory().numTensors;
    expect(await resultsOn('wasm', given, 3)).toEqual(first);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('the kernel of one step of an LSTM', () => {
  it('walks through a sequence to the same bits as the kernel of whole sequences, and near those of the plain loop.', async () => {
    await startBackend('wasm');
    const random = createRandom(5);
    for (const hidden of [4, 12, 20]) {
      const [gates, values] = [randomRow(random, 6 * 4 * hidden), randomRow(random, hidden * 4 * hidden)];
      const w = tf.tensor2d(values, [hidden, 4 * hidden]);
      const whole = tf.tidy(() => lstm(tf.tensor2d(gates, [6, 4 * hidden]), w, [[0, 1, 2, 3, 4, 5]]).dataSync());
      const plain = prepareRecurrent(Float32Array.from(values), hidden);
      let fast: LstmState = { h: new Float32Array(hidden), c: new Float32Array(hidden) };
      let slow = fast;
      for (let row = 0; row < 6; row++) {
        const z = Float32Array.from(gates.slice(row * 4 * hidden, (row + 1) * 4 * hidden));
        fast = lstmStep(z, { ...plain, tensor: w }, fast);
        slow = lstmStep(z, plain, slow);
        expect([...fast.h]).toEqual([...whole.slice(row * hidden, (row + 1) * hidden)]);
        expect(relativeDifference(fast.h, slow.h)).toBeLessThanOrEqual(1e-5);
        expect(relativeDifference(fast.c, slow.c)).toBeLessThanOrEqual(1e-5);
      }
      w.dispose();
    }
  });
});

describe('the kernel of a product', () => {
  it('gives a row the same bits whichever rows stand beside it, so that batching changes nothing.', async () => {
    await startBackend('wasm');
    const random = createRandom(8);
    const rows = Array.from({ length: 19 }, () => randomRow(random, 130));
    const w = tf.tensor2d(randomRow(random, 130 * 70), [130, 70]);
    const together = tf.tidy(() => affine(tf.tensor2d(rows), w).dataSync<'float32'>().slice());
    rows.forEach((row, i) => {
      const alone = tf.tidy(() =>
        affine(tf.tensor2d([row]), w)
          .dataSync<'float32'>()
          .slice(),
      );
      expect(together.slice(70 * i, 70 * (i + 1))).toEqual(alone);
    });
    w.dispose();
  });
});
