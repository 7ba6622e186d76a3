import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import { bilstm, dense, dropout, normalise } from '../../src/model/layers.ts';
import { lstm } from '../../src/model/ops/lstm.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { dot, expectClose, randomRow, TINY, tinyParameters, tinyValues } from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

const random = createRandom(1);

describe('dense', () => {
  it('multiplies, adds the bias and, when asked, cuts at zero.', () => {
    const x = randomRow(random, TINY.headHidden);
    const values = tinyValues();
    const w = values.get('head.out.w') ?? new Float32Array(0);
    const expected = TINY.labels.map(
      (_, k) =>
        dot(
          x,
          [...w].filter((_value, i) => i % 3 === k),
        ) + (values.get('head.out.b')?.[k] ?? NaN),
    );
    expectClose(
      tf.tidy(() => hostOf(dense(p, 'head.out', tf.tensor2d([x])))),
      expected,
      1e-5,
    );
    const cut = tf.tidy(() => hostOf(dense(p, 'head.out', tf.tensor2d([x]), 'relu')));
    expectClose(
      cut,
      expected.map((value) => Math.max(0, value)),
      1e-5,
    );
  });
});

describe('normalise', () => {
  it('uses the gain and bias of its name.', () => {
    const values = tinyValues();
    const row = tf.tidy(() => hostOf(normalise(p, 'face.norm', tf.fill([1, TINY.width], 3))));
    expect([...row]).toEqual([...(values.get('face.norm.bias') ?? [])]);
  });
});

describe('bilstm', () => {
  it('sets the forward beside the backward direction, each with gates and weights of its own.', () => {
    const rows = Array.from({ length: 3 }, () => randomRow(random, TINY.width));
    const h = TINY.width / 2;
    const { both, forward, backward } = onePass(rows, h);
    for (let r = 0; r < 3; r++) {
      expect(both.slice(r * 2 * h, r * 2 * h + h)).toEqual(forward.slice(r * h, (r + 1) * h));
      expect(both.slice(r * 2 * h + h, (r + 1) * 2 * h)).toEqual(backward.slice(r * h, (r + 1) * h));
    }
  });
});

function onePass(rows: number[][], h: number): Record<'both' | 'forward' | 'backward', number[]> {
  return tf.tidy(() => {
    const x = tf.tensor2d(rows);
    const gates = tf.add<tf.Tensor2D>(tf.matMul(x, p.tensor('face.lstm.x')), p.vector('face.lstm.b'));
    const part = (at: number): tf.Tensor2D => tf.slice2d(gates, [0, at], [rows.length, 4 * h]);
    return {
      both: [...hostOf(bilstm(p, 'face', x, [[0, 1, 2]], [[2, 1, 0]]))],
      forward: [...hostOf(lstm(part(0), p.tensor('face.lstm.forward'), [[0, 1, 2]]))],
      backward: [...hostOf(lstm(part(4 * h), p.tensor('face.lstm.backward'), [[2, 1, 0]]))],
    };
  });
}

describe('dropout', () => {
  it('is the identity when not training, and at rate 0.', () => {
    const x = tf.tensor2d([[1, 2]]);
    expect(dropout(x, undefined)).toBe(x);
    expect(dropout(x, { dropout: 0, random })).toBe(x);
    x.dispose();
  });

  it('zeroes about its share of the values and scales the rest so that the mean stays.', () => {
    const y = tf.tidy(() => hostOf(dropout(tf.ones([100, 100]), { dropout: 0.25, random: createRandom(2) })));
    const zeros = y.filter((value) => value === 0).length;
    expect(Math.abs(zeros - 2500)).toBeLessThan(4 * Math.sqrt(10_000 * 0.25 * 0.75));
    expect(y.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6)).toBe(true);
  });
});
