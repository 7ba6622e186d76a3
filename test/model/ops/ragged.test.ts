import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { countOf, interleave, toOffsets, totalOf } from '../../../src/model/ops/ragged.ts';

const COUNTS = fc.array(fc.nat(5), { maxLength: 8 });

describe('toOffsets', () => {
  it('places each item behind the rows of the ones before it.', () => {
    expect([...toOffsets([2, 0, 3])]).toEqual([0, 2, 2, 5]);
    expect([...toOffsets([])]).toEqual([0]);
  });

  it('gives the counts and their sum back.', () => {
    fc.assert(
      fc.property(COUNTS, (counts) => {
        const offsets = toOffsets(counts);
        expect(counts.map((_, i) => countOf(offsets, i))).toEqual(counts);
        expect(totalOf(offsets)).toBe(counts.reduce((a, b) => a + b, 0));
      }),
    );
  });
});

describe('interleave', () => {
  it('puts the rows of one item side by side, in the order of the sources.', () => {
    const { index, offsets } = interleave([toOffsets([1, 2]), toOffsets([2, 0]), toOffsets([0, 1])]);
    expect([...index]).toEqual([0, 3, 4, 1, 2, 5]);
    expect([...offsets]).toEqual([0, 3, 6]);
  });

  it('uses every row once, and an item owns the rows it owned in each source.', () => {
    const sources = fc
      .tuple(fc.nat(6), fc.integer({ min: 1, max: 4 }))
      .chain(([items, count]) =>
        fc.array(fc.array(fc.nat(4), { minLength: items, maxLength: items }), { minLength: count, maxLength: count }),
      );
    fc.assert(
      fc.property(sources, (counts) => {
        const { index, offsets } = interleave(counts.map(toOffsets));
        expect([...index].sort((a, b) => a - b)).toEqual(Array.from(index, (_, i) => i));
        const items = counts[0]?.length ?? 0;
        for (let i = 0; i < items; i++)
          expect(countOf(offsets, i)).toBe(counts.reduce((sum, source) => sum + (source[i] ?? 0), 0));
      }),
    );
  });

  it('has no items when there is no source.', () => {
    expect([...interleave([]).offsets]).toEqual([0]);
  });
});
