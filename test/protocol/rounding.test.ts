import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundInsight, roundRatio, roundShares } from '../../src/protocol/rounding.ts';
import { sampleUtterance } from '../support/sampleInsights.ts';
import { anyInsight, shares, weights } from './arbitraryInsight.ts';

const unitsOf = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((total, value) => total + Math.round(value * 10_000), 0);

describe('roundShares', () => {
  it('gives the last unit to the largest remainder, so that three thirds still sum to 1', () => {
    expect(roundShares({ a: 1 / 3, b: 1 / 3, c: 1 / 3 })).toEqual({ a: 0.3334, b: 0.3333, c: 0.3333 });
    expect(roundShares({ a: 0.12344, b: 0.87656 })).toEqual({ a: 0.1234, b: 0.8766 });
    expect(roundShares({ a: 0.33334, b: 0.33338, c: 0.33328 })).toEqual({ a: 0.3333, b: 0.3334, c: 0.3333 });
  });

  it('sums to exactly 10,000 units of 1/10,000 and moves no share by more than one unit', () => {
    fc.assert(
      fc.property(shares, (given) => {
        const rounded = roundShares(given);
        expect(unitsOf(rounded)).toBe(10_000);
        for (const [key, share] of Object.entries(given)) {
          expect(Math.abs((rounded[key] ?? NaN) - share)).toBeLessThanOrEqual(1.001e-4);
        }
      }),
    );
  });

  it('never swaps two shares, so the most probable label stays the most probable', () => {
    fc.assert(
      fc.property(shares, (given) => {
        const rounded = roundShares(given);
        const pairs = Object.entries(given).flatMap(([a, one]) =>
          Object.entries(given).map(([b, two]) => [a, one, b, two] as const),
        );
        // Shares closer than 1e-9 are ties: which of them gets the unit is up to their order.
        for (const [a, one, b, two] of pairs) {
          if (one > two + 1e-9) expect(rounded[a]).toBeGreaterThanOrEqual(rounded[b] ?? NaN);
        }
      }),
    );
  });

  it('keeps an absent weight at exactly 0, and all weights at 0 when nothing was there', () => {
    fc.assert(
      fc.property(weights, (given) => {
        const rounded = roundShares(given);
        for (const [key, weight] of Object.entries(given)) if (weight === 0) expect(rounded[key]).toBe(0);
        expect([0, 10_000]).toContain(unitsOf(rounded));
      }),
    );
    expect(roundShares({ text: 0, audio: 0 })).toEqual({ text: 0, audio: 0 });
  });

  it('accepts the rounding noise of 32-bit floats and refuses what is no share of a whole', () => {
    expect(roundShares({ a: 0.50002, b: 0.50002 })).toEqual({ a: 0.5, b: 0.5 });
    expect(() => roundShares({ a: 0.5, b: 0.4 })).toThrow(RangeError);
    expect(() => roundShares({ a: NaN, b: 1 })).toThrow('finite');
    expect(() => roundShares({ a: 1.2, b: -0.2 })).toThrow(RangeError);
  });
});

describe('roundRatio', () => {
  it('says 0 and 1 only of what is exactly 0 and 1', () => {
    expect([0, 0.000001, 0.5, 0.61805, 0.999999, 1].map(roundRatio)).toEqual([0, 0.0001, 0.5, 0.6181, 0.9999, 1]);
    expect(Object.is(roundRatio(-0), 0)).toBe(true);
  });

  it('refuses ratios outside [0, 1]', () => {
    for (const bad of [-0.1, 1.0001, NaN, Infinity]) expect(() => roundRatio(bad)).toThrow(RangeError);
  });
});

describe('roundInsight', () => {
  it('rounds times to whole milliseconds and makes the confidence the probability of the label', () => {
    const given = sampleUtterance({ atMs: 3_800.4, startMs: 1_199.6, latencyMs: -0.2, confidence: 0.723456 });
    const rounded = roundInsight(given);
    // 0.7235 alone, but the six other labels have the larger remainders (0.046091 each).
    expect(rounded).toMatchObject({ atMs: 3_800, startMs: 1_200, latencyMs: 0, confidence: 0.7234 });
    expect(rounded.type === 'utterance' && rounded.probabilities['joy']).toBe(0.7234);
  });

  it('refuses a time that is not finite', () => {
    expect(() => roundInsight(sampleUtterance({ latencyMs: NaN }))).toThrow('finite');
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyInsight, (insight) => {
        const once = roundInsight(insight);
        expect(roundInsight(once)).toEqual(once);
      }),
    );
  });
});
