import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { toOffsets } from '../../../src/model/ops/ragged.ts';
import { gatherRows, hostOf, meanRows } from '../../../src/model/ops/rows.ts';
import { createRandom } from '../../../src/model/random.ts';
import { dot, expectClose, gradientsOf, randomRow } from '../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

const WIDTH = 3;

describe('gatherRows', () => {
  it('picks rows in the order of the index; -1 gives zeros and rows may repeat.', () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const y = gatherRows(x, Int32Array.of(2, -1, 0, 2));
    expect(y.shape).toEqual([4, 2]);
    expect([...hostOf(y)]).toEqual([5, 6, 0, 0, 1, 2, 5, 6]);
    tf.dispose([x, y]);
  });

  it('adds up the gradient of a row that was picked twice, and gives none to a row that was not.', () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const [gradient] = gradientsOf(
      (t) => gatherRows(t, Int32Array.of(2, -1, 0, 2)),
      [x],
      [1, 2, 30, 40, 5, 6, 700, 800],
    );
    expect([...(gradient ?? [])]).toEqual([5, 6, 0, 0, 701, 802]);
    x.dispose();
  });

  it('can pick nothing.', () => {
    const x = tf.tensor2d([[1, 2]]);
    const y = gatherRows(x, new Int32Array(0));
    expect(y.shape).toEqual([0, 2]);
    tf.dispose([x, y]);
  });

  it('is linear: what goes forward along x equals what comes back along y.', () => {
    const index = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(index, fc.nat(), (rows, seed) => {
        const random = createRandom(seed);
        const x = randomRow(random, 5 * WIDTH);
        const dy = randomRow(random, rows.length * WIDTH);
        tf.tidy(() => {
          const input = tf.tensor2d(x, [5, WIDTH]);
          const pick = (t: tf.Tensor2D): tf.Tensor2D => gatherRows(t, Int32Array.from(rows));
          const [dx] = gradientsOf(pick, [input], dy);
          const forward = dot([...hostOf(pick(input))], dy);
          expect(Math.abs(forward - dot([...(dx ?? [])], x))).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('meanRows', () => {
  it('averages the rows of each item; an item without rows gives zeros.', () => {
    const x = tf.tensor2d([
      [1, 10],
      [3, 30],
      [7, 70],
    ]);
    const y = meanRows(x, toOffsets([2, 0, 1]));
    expect([...hostOf(y)]).toEqual([2, 20, 0, 0, 7, 70]);
    tf.dispose([x, y]);
  });

  it('spreads the gradient of an item evenly over its rows; that of an empty item goes nowhere.', () => {
    const x = tf.zeros([3, 1]);
    const [gradient] = gradientsOf((t) => meanRows(t, toOffsets([2, 0, 1])), [x], [8, 1000, 5]);
    expect([...(gradient ?? [])]).toEqual([4, 4, 5]);
    x.dispose();
  });

  it('equals a loop that sums and divides, for any packing.', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), fc.nat(), (counts, seed) => {
        const total = counts.reduce((a, b) => a + b, 0);
        fc.pre(total > 0);
        const random = createRandom(seed);
        const rows = Array.from({ length: total }, () => randomRow(random, WIDTH));
        let at = 0;
        const expected = counts.flatMap((count) => {
          const own = rows.slice(at, (at += count));
          return Array.from({ length: WIDTH }, (_, k) => own.reduce((s, row) => s + (row[k] ?? 0), 0) / (count || 1));
        });
        const actual = tf.tidy(() => hostOf(meanRows(tf.tensor2d(rows), toOffsets(counts))));
        expectClose(actual, expected, 1e-6);
      }),
      { numRuns: 50 },
    );
  });
});
