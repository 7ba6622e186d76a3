import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import { rotate, rotationMatrices } from '../../src/model/jointEmbedding.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import { createRandom } from '../../src/model/random.ts';
import { centralDifferences, dot, expectClose, gradientsOf, randomRow } from '../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

const CASE = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    width: fc.integer({ min: 2, max: 8 }),
    reflections: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(),
  })
  .map(({ rows, width, reflections, seed }) => {
    const random = createRandom(seed);
    return { rows, width, reflections, x: randomRow(random, rows * width), v: randomRow(random, reflections * width) };
  });
type Case = { rows: number; width: number; reflections: number; x: number[]; v: number[] };

const apply = (given: Case, ...directions: ('map' | 'inverse')[]): Float32Array =>
  tf.tidy(() => {
    const normals = tf.tensor2d(given.v, [given.reflections, given.width]);
    let y = tf.tensor2d(given.x, [given.rows, given.width]);
    for (const direction of directions) y = rotate(y, normals, direction);
    return hostOf(y);
  });

/** One reflection after the other in double precision: y − 2 (y·v / v·v) v. */
function slowRotate(given: Case): number[] {
  return Array.from({ length: given.rows }, (_, r) => {
    let y = given.x.slice(r * given.width, (r + 1) * given.width);
    for (let i = 0; i < given.reflections; i++) {
      const v = given.v.slice(i * given.width, (i + 1) * given.width);
      const along = dot(y, v) / (dot(v, v) + 1e-12);
      y = y.map((value, k) => value - 2 * along * (v[k] ?? NaN));
    }
    return y;
  }).flat();
}

describe('rotate', () => {
  it('equals one Householder reflection after the other in double precision, within 1e-5.', () => {
    fc.assert(
      fc.property(CASE, (given) => expectClose(apply(given, 'map'), slowRotate(given), 1e-5)),
      { numRuns: 40 },
    );
  });

  it('is undone by the inverse, in either order, within 1e-5, for any normals.', () => {
    fc.assert(
      fc.property(CASE, (given) => {
        expectClose(apply(given, 'map', 'inverse'), given.x, 1e-5);
        expectClose(apply(given, 'inverse', 'map'), given.x, 1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps lengths and angles: inner products of rows do not change.', () => {
    fc.assert(
      fc.property(CASE, (given) => {
        const y = [...apply(given, 'map')];
        const row = (of: readonly number[], r: number): number[] => of.slice(r * given.width, (r + 1) * given.width);
        for (let r = 0; r < given.rows; r++)
          expect(Math.abs(dot(row(y, 0), row(y, r)) - dot(row(given.x, 0), row(given.x, r)))).toBeLessThan(1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it('does not depend on the length of the normals.', () => {
    const given = { rows: 1, width: 4, reflections: 2, x: [1, 2, 3, 4], v: randomRow(createRandom(1), 8) };
    expectClose(apply({ ...given, v: given.v.map((value) => 50 * value) }, 'map'), apply(given, 'map'), 1e-5);
  });

  it('stays finite when a normal has become zero.', () => {
    const given = { rows: 1, width: 3, reflections: 1, x: [1, 2, 3], v: [0, 0, 0] };
    expect([...apply(given, 'map')]).toEqual([1, 2, 3]);
  });

  it('has the gradients that central differences have, within 1e-3, for rows and normals.', () => {
    fc.assert(
      fc.property(CASE, fc.nat(), (given, seed) => {
        const lengths = Array.from({ length: given.reflections }, (_, i) => {
          const v = given.v.slice(i * given.width, (i + 1) * given.width);
          return dot(v, v);
        });
        fc.pre(Math.min(...lengths) > 0.1); // the direction of a short normal changes faster than a difference can follow
        const dy = randomRow(createRandom(seed), given.x.length);
        const inputs = [
          tf.tensor2d(given.x, [given.rows, given.width]),
          tf.tensor2d(given.v, [given.reflections, given.width]),
        ];
        const [dx, dv] = gradientsOf((x, v) => rotate(x, v, 'map'), inputs, dy);
        tf.dispose(inputs);
        const atX = centralDifferences((x) => dot(slowRotate({ ...given, x }), dy), given.x);
        expectClose(dx ?? [], atX, 1e-3);
        const atV = centralDifferences((v) => dot(slowRotate({ ...given, v }), dy), given.v);
        expectClose(dv ?? [], atV, 1e-3);
      }),
      { numRuns: 12 },
    );
  });
});

describe('rotationMatrices', () => {
  it('are the reflections multiplied out, within 1e-5, and each the transpose of the other.', () => {
    fc.assert(
      fc.property(CASE, (given) => {
        const products = tf.tidy(() => {
          const { map, inverse } = rotationMatrices(tf.tensor2d(given.v, [given.reflections, given.width]));
          const x = tf.tensor2d(given.x, [given.rows, given.width]);
          return [tf.matMul(x, map), tf.matMul(x, inverse), inverse, tf.transpose(map)].map((t) => [...hostOf(t)]);
        });
        expectClose(products[0] ?? [], apply(given, 'map'), 1e-5);
        expectClose(products[1] ?? [], apply(given, 'inverse'), 1e-5);
        expect(products[2]).toEqual(products[3]);
      }),
      { numRuns: 30 },
    );
  });
});
