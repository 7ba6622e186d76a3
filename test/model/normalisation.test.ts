import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { InputSpec } from '../../src/model/config.ts';
import { newStatistics, normaliseRows, type SpeakerStatistics, withUtterance } from '../../src/model/normalisation.ts';
import { expectClose } from '../support/tinyModel.ts';

const PLAIN: InputSpec = { name: 'p', modality: 'audio', kind: 'vector', dim: 2, tokens: 1, speakerRelative: false };
const RELATIVE: InputSpec = { ...PLAIN, speakerRelative: true };
const GLOBAL = { mean: Float32Array.of(10, 100), scale: Float32Array.of(0.5, 0.1) };
const ONE = { mean: Float32Array.of(0, 0), scale: Float32Array.of(1, 1) };

/** Statistics after utterances of one row each, given as z-scores. */
function heard(rows: readonly (readonly [number, number])[]): SpeakerStatistics {
  return rows.reduce(
    (statistics, row) =>
      withUtterance(RELATIVE, normaliseRows(RELATIVE, Float32Array.from(row), ONE, statistics), statistics),
    newStatistics(2),
  );
}

describe('normaliseRows', () => {
  it('subtracts the stored mean and multiplies with the stored scale, row by row.', () => {
    const rows = normaliseRows(PLAIN, Float32Array.of(12, 90, 10, 100), GLOBAL, newStatistics(2));
    expectClose(rows, [1, -1, 0, 0], 1e-6);
  });

  it('sets beside them the same values relative to the speaker, who is as everybody while new.', () => {
    const rows = normaliseRows(RELATIVE, Float32Array.of(12, 90), GLOBAL, newStatistics(2));
    expectClose(rows, [1, -1, 1, -1], 1e-6);
  });

  it('shrinks a speaker toward everybody as if four more utterances had been average.', () => {
    const statistics = Float64Array.of(12, 2, 0, 12, 60);
    const [, , first, second] = normaliseRows(RELATIVE, Float32Array.of(3, 1), ONE, statistics);
    expect(first).toBeCloseTo((3 - (12 * 2) / 16) / Math.sqrt((12 + 4) / 16), 5);
    expect(second).toBeCloseTo(1 / Math.sqrt((60 + 4) / 16), 5);
  });

  it('cuts at five deviations, before and after the speaker is taken into account.', () => {
    const rows = normaliseRows(RELATIVE, Float32Array.of(1e30, -1e30), ONE, newStatistics(2));
    expect([...rows]).toEqual([5, -5, 5, -5]);
    const loud = Float64Array.of(100, 4, 0, 0.001, 1);
    expect(normaliseRows(RELATIVE, Float32Array.of(-4, 0), ONE, loud)[2]).toBe(-5);
  });

  it('makes no rows of none.', () => {
    expect(normaliseRows(RELATIVE, new Float32Array(0), GLOBAL, newStatistics(2)).length).toBe(0);
  });
});

describe('withUtterance', () => {
  it('counts mean and squared deviations as the two-pass formulas do, within 1e-6, for any values.', () => {
    const value = fc.float({ min: Math.fround(-4.5), max: Math.fround(4.5), noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 30 }), (rows) => {
        const statistics = heard(rows);
        const column = (k: 0 | 1): number[] => rows.map((row) => row[k]);
        const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
        const squares = (x: readonly number[]): number => x.reduce((s, v) => s + (v - mean(x)) ** 2, 0);
        const expected = [mean(column(0)), mean(column(1)), squares(column(0)), squares(column(1))];
        expect(statistics[0]).toBe(rows.length);
        expectClose([...statistics].slice(1), expected, 1e-6 * rows.length * 25);
      }),
    );
  });

  it('counts a vector once, whatever its rows, with what varies within it.', () => {
    const rows = normaliseRows(RELATIVE, Float32Array.of(1, 0, 3, 2), ONE, newStatistics(2));
    expect([...withUtterance(RELATIVE, rows, newStatistics(2))]).toEqual([1, 2, 1, 1, 1]);
  });

  it('counts a sequence by its seconds, at least one, and what varies within it.', () => {
    const sequence: InputSpec = { ...RELATIVE, kind: 'sequence' };
    const rows = (count: number): Float32Array =>
      normaliseRows(
        sequence,
        Float32Array.from({ length: 2 * count }, (_, i) => (i % 4 < 2 ? 1 : 3)),
        ONE,
        newStatistics(2),
      );
    expectClose([...withUtterance(sequence, rows(40), newStatistics(2))], [4, 2, 2, 4, 4], 1e-9);
    expectClose([...withUtterance(sequence, rows(2), newStatistics(2))], [1, 2, 2, 1, 1], 1e-9);
  });

  it('counts a sequence in parts as it counts it whole.', () => {
    const sequence: InputSpec = { ...RELATIVE, kind: 'sequence' };
    const all = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i) + (i % 2));
    const add = (values: Float32Array, known: SpeakerStatistics): SpeakerStatistics =>
      withUtterance(sequence, normaliseRows(sequence, values, ONE, known), known);
    const parts = [all.subarray(0, 60), all.subarray(60, 100), all.subarray(100)];
    const inParts = parts.reduce((known, part) => add(part, known), newStatistics(2));
    expectClose([...inParts], [...add(all, newStatistics(2))], 1e-5);
  });

  it('lets a lopsided, smiling face at rest become neutral in 20 s, and a frown of it stay one.', () => {
    const face: InputSpec = { ...RELATIVE, kind: 'sequence', modality: 'face' };
    const play = (rest: number, second: number): Float32Array =>
      Float32Array.from({ length: 50 }, (_, i) => rest + Math.sin(i * 1.7 + second) + (i % 2 ? 0 : -2 * rest));
    let known = newStatistics(2);
    const relativeOf = (values: Float32Array): number[] => {
      const rows = normaliseRows(face, values, ONE, known);
      return [2, 3].map((k) => [...rows].filter((_, i) => i % 4 === k).reduce((sum, x) => sum + x / 25, 0));
    };
    const before = relativeOf(play(2, 0));
    for (let second = 0; second < 20; second += 2.5) {
      known = withUtterance(face, normaliseRows(face, play(2, second), ONE, known), known);
    }
    const after = relativeOf(play(2, 20));
    expect(before.map(Math.abs).every((deviation) => deviation > 1.5)).toBe(true);
    expect(after.map(Math.abs).every((deviation) => deviation < 0.6)).toBe(true);
    expect(Math.abs(relativeOf(play(-1, 20))[0] ?? 0)).toBeGreaterThan(2);
  });

  it('leaves what it was given as it was, and counts nothing for an utterance without rows.', () => {
    const before = heard([[1, 2]]);
    const copy = [...before];
    withUtterance(RELATIVE, Float32Array.of(1, 1, 1, 1), before);
    expect([...before]).toEqual(copy);
    expect([...withUtterance(RELATIVE, new Float32Array(0), before)]).toEqual(copy);
  });

  it('lets a speaker who is always loud become usual to himself.', () => {
    const relative = (times: number): number => {
      const statistics = heard(Array.from({ length: times }, (_, i) => [3 + 0.1 * (i % 2), 0] as const));
      return normaliseRows(RELATIVE, Float32Array.of(3, 0), ONE, statistics)[2] ?? NaN;
    };
    expect(relative(0)).toBe(3);
    expect(relative(4)).toBeLessThan(relative(1));
    expect(Math.abs(relative(400))).toBeLessThan(0.3);
  });
});
