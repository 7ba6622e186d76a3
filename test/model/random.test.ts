import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createRandom, deriveSeed, shuffle } from '../../src/model/random.ts';

const draw = (seed: number, count: number): number[] => Array.from({ length: count }, createRandom(seed));

describe('createRandom', () => {
  it('gives the same numbers for a seed, others for the next, all in [0, 1).', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const numbers = draw(seed, 20);
        expect(draw(seed, 20)).toEqual(numbers);
        expect(draw(seed + 1, 20)).not.toEqual(numbers);
        expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true);
      }),
    );
  });

  it('keeps giving the numbers that it gives today: starting values, masks and stored seeds depend on them.', () => {
    expect(draw(1, 3).map((x) => x.toFixed(6))).toEqual(['0.627074', '0.002736', '0.527447']);
  });

  it('spreads evenly: mean, variance and each tenth of 20,000 numbers within four standard errors.', () => {
    const numbers = draw(7, 20_000);
    const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / 20_000));
    const tenths = new Array<number>(10).fill(0);
    for (const x of numbers) tenths[Math.floor(10 * x)] = (tenths[Math.floor(10 * x)] ?? 0) + 1;
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(4 * Math.sqrt(20_000 * 0.1 * 0.9));
  });
});

describe('deriveSeed', () => {
  it('differs between the paths of one seed, and between the seeds of one path.', () => {
    const paths = [['a'], ['b'], ['a', 0], ['a', 1], ['a', 1, 'x'], []] as const;
    expect(new Set(paths.map((path) => deriveSeed(1, ...path))).size).toBe(paths.length);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.string(), (one, other, path) => {
        fc.pre(one !== other);
        expect(deriveSeed(one, path)).not.toBe(deriveSeed(other, path));
        expect(deriveSeed(one, path)).toBe(deriveSeed(one, path));
      }),
    );
  });

  it('gives a whole number that fits 32 bits.', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, path) => {
        const derived = deriveSeed(seed, path);
        expect(Number.isInteger(derived) && derived >= 0 && derived < 2 ** 32).toBe(true);
      }),
    );
  });
});

describe('shuffle', () => {
  it('keeps every item, in place, and depends on the seed alone.', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 20 }), fc.nat(), (items, seed) => {
        const copy = [...items];
        expect(shuffle(copy, createRandom(seed))).toBe(copy);
        expect([...copy].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b));
        expect(shuffle([...items], createRandom(seed))).toEqual(copy);
      }),
    );
  });

  it('puts each of three items first about equally often.', () => {
    const random = createRandom(3);
    const first = [0, 0, 0];
    for (let i = 0; i < 3000; i++) {
      const [item = 0] = shuffle([0, 1, 2], random);
      first[item] = (first[item] ?? 0) + 1;
    }
    for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt((3000 * 2) / 9));
  });
});
