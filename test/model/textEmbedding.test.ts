import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRandom } from '../../src/model/random.ts';
import { embeddingGradient, type EmbeddingTables, embedTokens } from '../../src/model/textEmbedding.ts';
import type { Token } from '../../src/model/tokenizer.ts';
import { dot, expectClose, randomRow } from '../support/tinyModel.ts';

const WIDTH = 4;
const WORDS = 5;
const BUCKETS = 6;

function tablesOf(seed: number): EmbeddingTables {
  const random = createRandom(seed);
  return {
    width: WIDTH,
    word: Float32Array.from(randomRow(random, WORDS * WIDTH)),
    ngram: Float32Array.from(randomRow(random, BUCKETS * WIDTH)),
  };
}

const TOKENS: fc.Arbitrary<Token[]> = fc.array(
  fc.record({ word: fc.nat(WORDS - 1), grams: fc.array(fc.nat(BUCKETS - 1), { maxLength: 5 }) }),
  { minLength: 1, maxLength: 6 },
);

describe('embedTokens', () => {
  it('adds the word vector and the mean of its n-gram vectors.', () => {
    const tables = {
      width: 2,
      word: Float32Array.of(100, 100, 1, 2),
      ngram: Float32Array.of(10, 0, 30, 0, 0, 4),
    };
    expect([...embedTokens(tables, [{ word: 1, grams: [0, 1] }])]).toEqual([21, 2]);
    expect([...embedTokens(tables, [{ word: 1, grams: [2, 2] }])]).toEqual([1, 6]);
  });

  it('gives an unknown word its n-grams only, and zeros when it has none: row 0 is never read.', () => {
    const tables = { width: 2, word: Float32Array.of(NaN, NaN), ngram: Float32Array.of(3, 4) };
    expect([...embedTokens(tables, [{ word: 0, grams: [0] }])]).toEqual([3, 4]);
    expect([...embedTokens(tables, [{ word: 0, grams: [] }])]).toEqual([0, 0]);
  });

  it('embeds each word by itself, whatever its neighbours.', () => {
    fc.assert(
      fc.property(TOKENS, fc.nat(), (tokens, seed) => {
        const tables = tablesOf(seed);
        const apart = tokens.flatMap((token) => [...embedTokens(tables, [token])]);
        expect([...embedTokens(tables, tokens)]).toEqual(apart);
      }),
    );
  });

  it('embeds nothing as nothing.', () => {
    expect(embedTokens(tablesOf(1), []).length).toBe(0);
  });
});

describe('embeddingGradient', () => {
  it('is the transpose of the embedding: both see the same inner products, within 1e-4.', () => {
    fc.assert(
      fc.property(TOKENS, fc.nat(), (tokens, seed) => {
        const tables = tablesOf(seed);
        const dy = randomRow(createRandom(seed + 1), tokens.length * WIDTH);
        const rows = { word: new Map<number, Float32Array>(), ngram: new Map<number, Float32Array>() };
        embeddingGradient(WIDTH, tokens, Float32Array.from(dy), rows);
        const along = (table: Float32Array, found: ReadonlyMap<number, Float32Array>): number =>
          [...found].reduce(
            (sum, [row, values]) => sum + dot([...values], [...table.slice(row * WIDTH, (row + 1) * WIDTH)]),
            0,
          );
        const forward = dot([...embedTokens(tables, tokens)], dy);
        const backward = along(tables.word, rows.word) + along(tables.ngram, rows.ngram);
        expect(Math.abs(forward - backward)).toBeLessThan(1e-4);
      }),
    );
  });

  it('has rows only for words and n-grams that occur, and none for an unknown word.', () => {
    const rows = { word: new Map<number, Float32Array>(), ngram: new Map<number, Float32Array>() };
    const tokens = [
      { word: 3, grams: [1] },
      { word: 0, grams: [5, 5] },
    ];
    embeddingGradient(2, tokens, Float32Array.of(1, 2, 30, 40), rows);
    expect([...rows.word.keys()]).toEqual([3]);
    expectClose(rows.word.get(3) ?? [], [1, 2], 0);
    expect([...rows.ngram.keys()]).toEqual([1, 5]);
    expectClose(rows.ngram.get(5) ?? [], [30, 40], 0);
  });

  it('adds to what the rows already hold.', () => {
    const rows = { word: new Map([[1, Float32Array.of(5, 5)]]), ngram: new Map<number, Float32Array>() };
    embeddingGradient(2, [{ word: 1, grams: [] }], Float32Array.of(1, 2), rows);
    expectClose(rows.word.get(1) ?? [], [6, 7], 0);
  });
});
