import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromFloat16, toFloat16 } from '../../src/model/float16.ts';

const PATTERNS = Array.from({ length: 65_536 }, (_, bits) => bits);
const isNanPattern = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;

/** The finite numbers of half precision with their bits, ascending: what a slow search chooses from. */
const FINITE = PATTERNS.filter((bits) => (bits & 0x7c00) !== 0x7c00 && bits < 0x8000).map((bits) => ({
  bits,
  value: fromFloat16(bits),
}));

/** The nearest half-precision number by search, ties to the even pattern; halfway past the largest is infinity. */
function nearest(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  let low = 0;
  let high = FINITE.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((FINITE[middle]?.value ?? NaN) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [FINITE[low], FINITE[high]] as [(typeof FINITE)[number], (typeof FINITE)[number]];
  const [down, up] = [size - below.value, above.value - size];
  if (down === up) return sign | (below.bits % 2 === 0 ? below.bits : above.bits);
  return sign | (down < up ? below.bits : above.bits);
}

describe('fromFloat16', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65_504],
    [0x0400, 2 ** -14],
    [0x03ff, (1023 / 1024) * 2 ** -14],
    [0x0001, 2 ** -24],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])('reads the bits %i as %d.', (bits, value) => {
    expect(fromFloat16(bits)).toBe(value);
  });
});

describe('toFloat16', () => {
  it('gives each of the 65,536 patterns back, and NaN for every pattern that is NaN.', () => {
    const wrong = PATTERNS.filter((bits) => {
      const value = fromFloat16(bits);
      return isNanPattern(bits) ? !Number.isNaN(fromFloat16(toFloat16(value))) : toFloat16(value) !== bits;
    });
    expect(wrong).toEqual([]);
  });

  it('finds the nearest number, ties to even, as a search through all of them does.', () => {
    const value = fc.oneof(
      fc.float({ noNaN: true }),
      fc.float({ min: Math.fround(-70_000), max: Math.fround(70_000), noNaN: true }),
      fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
    );
    fc.assert(
      fc.property(value, (x) => {
        expect(toFloat16(x)).toBe(nearest(x));
      }),
      { numRuns: 2000 },
    );
  });

  it('rounds the middle between every two neighbours to the even one, and a hair beside it to the nearer.', () => {
    const wrong = FINITE.slice(1).filter(({ bits, value }, i) => {
      const below = FINITE[i] as (typeof FINITE)[number];
      const middle = (below.value + value) / 2; // exact in 32 bits: one more bit than half precision has
      const even = bits % 2 === 0 ? bits : below.bits;
      const hair = middle * 2 ** -20;
      return toFloat16(middle) !== even || toFloat16(middle + hair) !== bits || toFloat16(middle - hair) !== below.bits;
    });
    expect(wrong).toEqual([]);
  });

  it('makes infinity of what is too large, and zero with its sign of what is too small.', () => {
    expect([65_519, 65_520, -1e30, Infinity].map(toFloat16)).toEqual([0x7bff, 0x7c00, 0xfc00, 0x7c00]);
    expect([2 ** -25, -(2 ** -25), -1e-30, -0].map(toFloat16)).toEqual([0, 0x8000, 0x8000, 0x8000]);
    expect(toFloat16(2 ** -25 * 1.001)).toBe(1);
  });
});
