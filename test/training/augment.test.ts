import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/model/config.ts';
import { createRandom } from '../../src/model/random.ts';
import { augmentRows, augmentUtterance, type RowLayout } from '../../src/training/augment.ts';
import type { PreparedUtterance } from '../../src/training/prepare.ts';
import type { Augmentation } from '../../src/training/stageConfig.ts';
import { TINY } from '../support/tinyModel.ts';

const NONE: Augmentation = { noise: 0, crop: 0, columnMask: 0, shift: 0, rest: 0 };
/** Nothing is seen relative to the speaker. */
const plain = (width: number): RowLayout => ({ width, absolute: 0 });
const ones = (count: number, width: number): Float32Array => new Float32Array(count * width).fill(1);
/** Rows that tell where they are from: row r, column k is 100 r + k. */
const numbered = (count: number, width: number): Float32Array =>
  Float32Array.from({ length: count * width }, (_, i) => 100 * Math.floor(i / width) + (i % width));
const deviation = (values: readonly number[]): number => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
};

const anyAugmentation = fc.record({
  noise: fc.double({ min: 0, max: 2, noNaN: true }),
  crop: fc.double({ min: 0, max: 0.9, noNaN: true }),
  columnMask: fc.double({ min: 0, max: 1, noNaN: true }),
  shift: fc.double({ min: 0, max: 2, noNaN: true }),
  rest: fc.double({ min: 0, max: 2, noNaN: true }),
});
const size = fc.integer({ min: 1, max: 20 });

describe('augmentRows', () => {
  it('gives a copy of the same rows when nothing is asked for.', () => {
    fc.assert(
      fc.property(size, size, (count, width) => {
        const rows = numbered(count, width);
        const out = augmentRows(rows, plain(width), NONE, createRandom(1));
        expect(out).toEqual(rows);
        expect(out).not.toBe(rows);
      }),
    );
  });

  it('leaves at least one row, whole rows, finite numbers, and what it was given as it was.', () => {
    fc.assert(
      fc.property(size, size, anyAugmentation, fc.nat(), (count, width, augmentation, seed) => {
        const rows = numbered(count, width);
        const out = augmentRows(rows, plain(width), augmentation, createRandom(seed));
        expect(out.length).toBeGreaterThanOrEqual(width);
        expect(out.length).toBeLessThanOrEqual(rows.length);
        expect(out.length % width).toBe(0);
        expect(out.every(Number.isFinite)).toBe(true);
        expect(rows).toEqual(numbered(count, width));
      }),
    );
  });

  it('is the same for the same seed, and another for another seed.', () => {
    const augmentation = { noise: 0.5, crop: 0.5, columnMask: 1, shift: 0.5, rest: 0 };
    const draw = (seed: number): Float32Array => augmentRows(ones(9, 8), plain(8), augmentation, createRandom(seed));
    expect(draw(4)).toEqual(draw(4));
    expect(draw(4)).not.toEqual(draw(5));
  });

  it('has nothing to change where there are no rows.', () => {
    const all = { noise: 1, crop: 0.9, columnMask: 1, shift: 1, rest: 1 };
    expect(augmentRows(new Float32Array(0), plain(3), all, createRandom(1))).toEqual(new Float32Array(0));
  });

  it('crops one unbroken piece out of the rows, no shorter than was allowed, from anywhere.', () => {
    const random = createRandom(8);
    const pieces = Array.from({ length: 200 }, () =>
      augmentRows(numbered(10, 2), plain(2), { ...NONE, crop: 0.4 }, random),
    );
    const firsts = new Set<number>();
    for (const piece of pieces) {
      expect(piece.length / 2).toBeGreaterThan(6);
      const first = piece[0]! / 100;
      firsts.add(first);
      expect(piece).toEqual(numbered(10, 2).slice(2 * first, 2 * first + piece.length));
    }
    expect([...firsts].sort()).toEqual([0, 1, 2, 3]);
    expect(new Set(pieces.map(({ length }) => length)).size).toBeGreaterThan(2);
  });

  it('adds noise of the given deviation to every number.', () => {
    const out = [...augmentRows(ones(500, 8), plain(8), { ...NONE, noise: 0.3 }, createRandom(2))];
    expect(deviation(out)).toBeCloseTo(0.3, 1);
    expect(out.reduce((a, b) => a + b, 0) / out.length).toBeCloseTo(1, 1);
    expect(new Set(out).size).toBeGreaterThan(3900);
  });

  it('shifts a column by one offset in all rows, and each column by another.', () => {
    const random = createRandom(2);
    const offsets: number[] = [];
    for (let i = 0; i < 100; i++) {
      const out = augmentRows(ones(3, 8), plain(8), { ...NONE, shift: 0.5 }, random);
      for (let k = 0; k < 8; k++) expect(new Set([out[k], out[8 + k], out[16 + k]]).size).toBe(1);
      offsets.push(...out.slice(0, 8));
    }
    expect(new Set(offsets).size).toBe(800);
    expect(deviation(offsets)).toBeCloseTo(0.5, 1);
  });

  it('gives a speaker another rest: the absolute columns move alike in all rows, those relative to the speaker stay.', () => {
    const random = createRandom(2);
    const offsets = Array.from({ length: 100 }, () => {
      const out = augmentRows(ones(2, 8), { width: 8, absolute: 4 }, { ...NONE, rest: 0.5 }, random);
      expect(out.slice(0, 4)).toEqual(out.slice(8, 12));
      expect([...out.slice(4, 8), ...out.slice(12)]).toEqual(new Array(8).fill(1));
      return [...out.slice(0, 4)];
    }).flat();
    expect(new Set(offsets).size).toBe(400);
    expect(deviation(offsets)).toBeCloseTo(0.5, 1);
  });

  it('knows no rest where nothing is seen relative to the speaker.', () => {
    expect(augmentRows(ones(2, 8), plain(8), { ...NONE, rest: 2 }, createRandom(1))).toEqual(ones(2, 8));
  });

  it('sets a block of neighbouring columns to the mean, in all rows, as often as asked.', () => {
    const random = createRandom(5);
    const blocks = Array.from({ length: 400 }, () => {
      const out = augmentRows(ones(3, 24), plain(24), { ...NONE, columnMask: 0.25 }, random);
      const masked = [...out.keys()].filter((i) => out[i] === 0);
      const columns = [...new Set(masked.map((i) => i % 24))];
      expect(masked.length).toBe(3 * columns.length);
      if (columns.length > 0) expect(columns.at(-1)! - columns[0]!).toBe(columns.length - 1);
      return columns;
    });
    const hit = blocks.filter((columns) => columns.length > 0);
    expect(hit.length).toBeGreaterThan(70);
    expect(hit.length).toBeLessThan(130);
    expect(new Set(hit.map((columns) => columns.length))).toEqual(new Set([1, 2, 3]));
    expect(new Set(hit.flat()).size).toBe(24);
  });
});

describe('augmentUtterance', () => {
  const model: ModelConfig = TINY;
  const utterance: PreparedUtterance = {
    id: 'd/0',
    speaker: 'Ada',
    label: 1,
    tokens: [],
    rows: new Map([
      ['prosody', ones(1, 16)],
      ['face', ones(4, 5)],
      ['unknown', ones(1, 1)],
    ]),
    alternatives: new Map([['face', ones(4, 5).fill(2)]]),
  };

  it('keeps everything but the rows, and knows the width of inputs that are seen relative to the speaker.', () => {
    const out = augmentUtterance(model, utterance, { ...NONE, shift: 1 }, createRandom(1));
    expect(out).toMatchObject({ id: 'd/0', speaker: 'Ada', label: 1, tokens: [] });
    expect([...out.rows.keys()]).toEqual(['prosody', 'face']);
    expect(new Set(out.rows.get('prosody')).size).toBe(16);
    expect(utterance.rows.get('prosody')).toEqual(ones(1, 16));
  });

  it('moves at rest only what the network also sees relative to the speaker.', () => {
    const out = augmentUtterance(
      model,
      { ...utterance, alternatives: undefined },
      { ...NONE, rest: 1 },
      createRandom(1),
    );
    const prosody = [...out.rows.get('prosody')!];
    expect(new Set(prosody.slice(0, 8)).size).toBe(8);
    expect(prosody.slice(8)).toEqual(new Array(8).fill(1));
    expect(out.rows.get('face')).toEqual(ones(4, 5));
  });

  it('takes the alternative rows of an input about half the time, and leaves inputs without any alone.', () => {
    const random = createRandom(3);
    const drawn = Array.from({ length: 400 }, () => augmentUtterance(model, utterance, NONE, random).rows);
    const mirrored = drawn.filter((rows) => rows.get('face')![0] === 2).length;
    expect(mirrored).toBeGreaterThan(160);
    expect(mirrored).toBeLessThan(240);
    for (const rows of drawn) {
      expect(new Set(rows.get('face')).size).toBe(1);
      expect(rows.get('prosody')).toEqual(ones(1, 16));
    }
  });

  it('gives the same utterance for the same seed.', () => {
    const augmentation = { noise: 0.2, crop: 0.5, columnMask: 0.5, shift: 0.2, rest: 0.2 };
    const draw = (seed: number): ReadonlyMap<string, Float32Array> =>
      augmentUtterance(model, utterance, augmentation, createRandom(seed)).rows;
    expect(draw(9)).toEqual(draw(9));
    expect(draw(9)).not.toEqual(draw(10));
  });
});
