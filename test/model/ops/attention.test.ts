import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { attend, type AttentionSource } from '../../../src/model/ops/attention.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { toOffsets } from '../../../src/model/ops/ragged.ts';
import { hostOf } from '../../../src/model/ops/rows.ts';
import { createRandom, type Random } from '../../../src/model/random.ts';
import { centralDifferences, dot, expectClose, gradientsOf, randomRow } from '../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

const WIDTH = 4;
const HEADS = 2;

/** Queries and sources of some items: counts of rows per item, weights per item, and all numbers flat. */
type Case = {
  readonly queries: readonly number[];
  readonly queryCounts: readonly number[];
  readonly sources: readonly { keysValues: number[]; counts: readonly number[]; weights: readonly number[] }[];
};

function randomCase(random: Random, items: number, sources: number): Case {
  const counts = (): number[] => Array.from({ length: items }, () => Math.floor(random() * 4));
  const queryCounts = [1, ...counts().slice(1)];
  return {
    queryCounts,
    queries: randomRow(random, queryCounts.reduce((a, b) => a + b) * WIDTH),
    sources: Array.from({ length: sources }, () => {
      const own = [1 + Math.floor(random() * 3), ...counts().slice(1)];
      return {
        counts: own,
        keysValues: randomRow(random, own.reduce((a, b) => a + b) * 2 * WIDTH),
        weights: Array.from({ length: items }, () => Math.fround(random())),
      };
    }),
  };
}

/** Multi-head attention as the formula says it, one query and one head after the other, in double precision. */
function slowAttend(given: Case): number[] {
  const size = WIDTH / HEADS;
  return given.queryCounts.flatMap((count, item) => {
    const first = given.queryCounts.slice(0, item).reduce((a, b) => a + b, 0);
    return Array.from({ length: count }, (_, r) => (first + r) * WIDTH).flatMap((row) =>
      Array.from({ length: WIDTH }, (_, column) => {
        const head = Math.floor(column / size) * size;
        const query = given.queries.slice(row + head, row + head + size);
        let sum = 0;
        for (const { keysValues, counts, weights } of given.sources) {
          const start = counts.slice(0, item).reduce((a, b) => a + b, 0);
          const rows = Array.from({ length: counts[item] ?? 0 }, (_, j) =>
            keysValues.slice((start + j) * 2 * WIDTH, (start + j + 1) * 2 * WIDTH),
          );
          const powers = rows.map((kv) => Math.exp(dot(query, kv.slice(head, head + size)) / Math.sqrt(size)));
          const total = powers.reduce((a, b) => a + b, 0);
          rows.forEach((kv, j) => {
            sum += ((weights[item] ?? 0) * (powers[j] ?? 0) * (kv[WIDTH + column] ?? 0)) / total;
          });
        }
        return sum;
      }),
    );
  });
}

function tensorsOf(given: Case): tf.Tensor2D[] {
  return [
    tf.tensor2d([...given.queries], [given.queries.length / WIDTH, WIDTH]),
    ...given.sources.map(({ keysValues }) => tf.tensor2d(keysValues, [keysValues.length / (2 * WIDTH), 2 * WIDTH])),
  ];
}

function attendTo(given: Case, [queries, ...keysValues]: readonly tf.Tensor2D[]): tf.Tensor2D {
  const sources = given.sources.map(({ counts, weights }, n): AttentionSource => ({
    keysValues: keysValues[n] as tf.Tensor2D,
    offsets: toOffsets(counts),
    weights: Float32Array.from(weights),
  }));
  return attend(queries as tf.Tensor2D, toOffsets(given.queryCounts), sources, HEADS);
}

const run = (given: Case): Float32Array => tf.tidy(() => hostOf(attendTo(given, tensorsOf(given))));

const CASE = fc
  .record({ seed: fc.nat(), items: fc.integer({ min: 1, max: 4 }), sources: fc.integer({ min: 1, max: 3 }) })
  .map(({ seed, items, sources }) => randomCase(createRandom(seed), items, sources));

describe('attend', () => {
  it('equals the formula in double precision within 1e-5, the rounding of 32-bit floats.', () => {
    fc.assert(
      fc.property(CASE, (given) => expectClose(run(given), slowAttend(given), 1e-5)),
      { numRuns: 60 },
    );
  });

  it('has the gradients that central differences of the formula have, within 1e-4, for queries and each source.', () => {
    fc.assert(
      fc.property(CASE, fc.nat(), (given, seed) => {
        const dy = randomRow(createRandom(seed), given.queries.length);
        const inputs = tensorsOf(given);
        const [dq, ...dkv] = gradientsOf((...tensors) => attendTo(given, tensors), inputs, dy);
        tf.dispose(inputs);
        const expected = centralDifferences((queries) => dot(slowAttend({ ...given, queries }), dy), given.queries);
        expectClose(dq ?? [], expected, 1e-4);
        given.sources.forEach((source, n) => {
          const at = (keysValues: number[]): number => {
            const sources = given.sources.map((other) => (other === source ? { ...other, keysValues } : other));
            return dot(slowAttend({ ...given, sources }), dy);
          };
          expectClose(dkv[n] ?? [], centralDifferences(at, source.keysValues), 1e-4);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('does not look at an excluded source: whatever it holds, output and gradients are the same to the bit.', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(2), fc.integer({ min: -1000, max: 1000 }), (seed, item, scale) => {
        const full = randomCase(createRandom(seed), 3, 2);
        const exclude = (factor: number): Case => ({
          ...full,
          sources: full.sources.map((source, n) =>
            n === 0
              ? {
                  ...source,
                  weights: source.weights.map((w, i) => (i === item ? 0 : w)),
                  keysValues: scaleItem(source, item, factor),
                }
              : source,
          ),
        });
        const [one, other] = [exclude(1), exclude(scale)];
        expect([...run(other)]).toEqual([...run(one)]);
        const dy = randomRow(createRandom(seed + 1), full.queries.length);
        const gradient = (given: Case): number[][] => {
          const inputs = tensorsOf(given);
          const found = gradientsOf((...tensors) => attendTo(given, tensors), inputs, dy);
          tf.dispose(inputs);
          return found.map((values) => [...values]);
        };
        expect(gradient(other)).toEqual(gradient(one));
      }),
      { numRuns: 30 },
    );
  });

  it('gives no gradient to an excluded source, which a source of zeros would get.', () => {
    const given = randomCase(createRandom(4), 1, 2);
    const weights = (w: number): Case => ({
      ...given,
      sources: given.sources.map((source, n) => (n === 0 ? { ...source, weights: [w] } : source)),
    });
    const gradient = (c: Case): number[] => {
      const inputs = tensorsOf(c);
      const dy = randomRow(createRandom(5), c.queries.length);
      const [, first] = gradientsOf((...tensors) => attendTo(c, tensors), inputs, dy);
      tf.dispose(inputs);
      return [...(first ?? [])];
    };
    expect(gradient(weights(0)).every((value) => value === 0)).toBe(true);
    expect(gradient(weights(0.5)).some((value) => value !== 0)).toBe(true);
  });

  it('gives zeros for an item whose sources are all excluded or empty.', () => {
    const empty: Case = {
      queries: [1, 2, 3, 4],
      queryCounts: [1],
      sources: [
        { keysValues: [1, 1, 1, 1, 9, 9, 9, 9], counts: [1], weights: [0] },
        { keysValues: [], counts: [0], weights: [1] },
      ],
    };
    expect([...run(empty)]).toEqual([0, 0, 0, 0]);
  });

  it('survives scores beyond the range of exp.', () => {
    const given: Case = {
      queries: [200, 0, 200, 0],
      queryCounts: [1],
      sources: [{ keysValues: [200, 0, 200, 0, 1, 2, 3, 4, -200, 0, -200, 0, 9, 9, 9, 9], counts: [2], weights: [1] }],
    };
    expect([...run(given)]).toEqual([1, 2, 3, 4]);
  });
});

function scaleItem(source: Case['sources'][number], item: number, factor: number): number[] {
  const first = source.counts.slice(0, item).reduce((a, b) => a + b, 0) * 2 * WIDTH;
  const end = first + (source.counts[item] ?? 0) * 2 * WIDTH;
  return source.keysValues.map((value, i) => (i >= first && i < end ? value * factor : value));
}
