import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom, shuffle } from '../../src/model/random.ts';
import {
  areaUnderCurve,
  argMax,
  calibrationError,
  computeMetrics,
  type Outcome,
  reliabilityBins,
  weightedF1,
} from '../../src/training/metrics.ts';

const outcome = (truth: number, ...probabilities: number[]): Outcome => ({ dialogue: 'd', truth, probabilities });
const answer = (truth: number, predicted: number, dialogue = 'd'): Outcome => ({
  dialogue,
  truth,
  probabilities: [0, 1, 2].map((c) => (c === predicted ? 1 : 0)),
});

/** Outcomes over three classes with real probabilities. */
const outcomes = fc.array(
  fc
    .record({
      dialogue: fc.constantFrom('a', 'b', 'c'),
      truth: fc.nat(2),
      parts: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 }),
    })
    .map(({ dialogue, truth, parts }) => {
      const sum = parts.reduce((a, b) => a + b, 0);
      return { dialogue, truth, probabilities: parts.map((part) => part / sum) };
    }),
  { maxLength: 40 },
);

describe('computeMetrics', () => {
  it('gives the numbers that a hand gives.', () => {
    // truth 0: 0 0 1; truth 1: 1 2; truth 2: nothing. F1: 2·2/(3+2) = 0.8, 2·1/(2+2) = 0.5, 0.
    const metrics = computeMetrics([answer(0, 0), answer(0, 0), answer(0, 1), answer(1, 1), answer(1, 2)], 3);
    expect(metrics.confusion).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [0, 0, 0],
    ]);
    expect(metrics.classF1).toEqual([0.8, 0.5, 0]);
    expect(metrics.weightedF1).toBeCloseTo((3 * 0.8 + 2 * 0.5) / 5, 12);
    expect(metrics.macroF1).toBeCloseTo(1.3 / 3, 12);
    expect([metrics.accuracy, metrics.utterances]).toEqual([0.6, 5]);
  });

  it('counts the first of equal probabilities as the answer.', () => {
    expect(argMax([0.2, 0.4, 0.4])).toBe(1);
    expect(computeMetrics([outcome(1, 0.5, 0.5)], 2).accuracy).toBe(0);
  });

  it('gives zeros for nothing.', () => {
    expect(computeMetrics([], 2)).toMatchObject({ utterances: 0, weightedF1: 0, macroF1: 0, accuracy: 0, ece: 0 });
  });

  it('stays within 0 and 1, and does not depend on the order of outcomes.', () => {
    fc.assert(
      fc.property(outcomes, fc.nat(), (list, seed) => {
        const metrics = computeMetrics(list, 3);
        for (const share of [metrics.weightedF1, metrics.macroF1, metrics.accuracy, metrics.ece, ...metrics.classF1]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1 + 1e-12);
        }
        const shuffled = computeMetrics(shuffle([...list], createRandom(seed)), 3);
        expect(shuffled.confusion).toEqual(metrics.confusion);
        expect(shuffled.weightedF1).toBe(metrics.weightedF1);
        expect(shuffled.ece).toBeCloseTo(metrics.ece, 10);
      }),
    );
  });

  it('does not depend on what the classes are called.', () => {
    const renamed = ({ truth, probabilities, dialogue }: Outcome): Outcome => ({
      dialogue,
      truth: 2 - truth,
      probabilities: [...probabilities].reverse(),
    });
    const isClear = ({ probabilities }: Outcome): boolean =>
      new Set(probabilities).size === probabilities.length; /* equals are decided by position */
    fc.assert(
      fc.property(outcomes, (list) => {
        const clear = list.filter(isClear);
        expect(computeMetrics(clear.map(renamed), 3).weightedF1).toBeCloseTo(computeMetrics(clear, 3).weightedF1, 12);
      }),
    );
  });
});

describe('calibrationError', () => {
  it('gives the number that a hand gives.', () => {
    // Two bins. [.5, 1]: confidences .9 .8 .7, two right → |2.4 − 2|; below .5: confidence .4, right → |.4 − 1|.
    const list = [outcome(0, 0.9, 0.1, 0), outcome(0, 0.8, 0.2, 0), outcome(1, 0.7, 0.3, 0), outcome(2, 0.3, 0.3, 0.4)];
    expect(calibrationError(list, 2)).toBeCloseTo((0.4 + 0.6) / 4, 12);
    expect(calibrationError(list, 1)).toBeCloseTo(Math.abs(2.8 - 3) / 4, 12);
    // A confidence of 1 belongs to the last bin: |1 − 0| there, |.4 − 1| in the first.
    expect(calibrationError([outcome(1, 1, 0, 0), list[3]!], 2)).toBeCloseTo((1 + 0.6) / 2, 12);
  });

  it('is 0 for answers that are certain and right, and 1 for certain and wrong.', () => {
    expect(calibrationError([answer(0, 0), answer(1, 1)], 15)).toBe(0);
    expect(calibrationError([answer(0, 1), answer(1, 0)], 15)).toBe(1);
  });
});

describe('reliabilityBins', () => {
  it('gives count, mean confidence and accuracy of each bin, and zeros where nothing lies.', () => {
    const list = [outcome(0, 0.9, 0.1, 0), outcome(1, 0.8, 0.2, 0), outcome(2, 0, 0, 1), outcome(2, 0.2, 0.5, 0.3)];
    const bins = reliabilityBins(list, 4);
    expect(bins.map(({ from, to, count }) => [from, to, count])).toEqual([
      [0, 0.25, 0],
      [0.25, 0.5, 0],
      [0.5, 0.75, 1],
      [0.75, 1, 3],
    ]);
    expect(bins[0]).toMatchObject({ confidence: 0, accuracy: 0 });
    expect(bins[2]).toMatchObject({ confidence: 0.5, accuracy: 0 });
    expect(bins[3]!.confidence).toBeCloseTo(0.9, 12);
    expect(bins[3]!.accuracy).toBeCloseTo(2 / 3, 12);
  });

  it('holds every outcome once, with confidences inside its bin.', () => {
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 1, max: 20 }), (list, count) => {
        const bins = reliabilityBins(list, count);
        expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(list.length);
        for (const { count: n, from, to, confidence } of bins) {
          if (n === 0) continue;
          expect(confidence).toBeGreaterThanOrEqual(from - 1e-9);
          expect(confidence).toBeLessThanOrEqual(to + 1e-9);
        }
      }),
    );
  });
});

describe('weightedF1', () => {
  it('is what computeMetrics says, from counts alone.', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const counts = { truth: [0, 0, 0], predicted: [0, 0, 0], hit: [0, 0, 0] };
        for (const { truth, probabilities } of list) {
          const predicted = argMax(probabilities);
          counts.truth[truth]! += 1;
          counts.predicted[predicted]! += 1;
          if (truth === predicted) counts.hit[truth]! += 1;
        }
        expect(weightedF1(counts)).toBeCloseTo(computeMetrics(list, 3).weightedF1, 12);
      }),
    );
    expect(weightedF1({ truth: [0, 0], predicted: [0, 0], hit: [0, 0] })).toBe(0);
  });
});

describe('areaUnderCurve', () => {
  it('is the share of pairs in the right order, ties counting half, for any values.', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.boolean()), { maxLength: 40 }), (pairs) => {
        const [yes, no] = [true, false].map((side) => pairs.flatMap(([v, p]) => (p === side ? [v] : [])));
        const won = yes!.flatMap((a) => no!.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)));
        const expected = won.length > 0 ? won.reduce((a, b) => a + b, 0) / won.length : 0.5;
        const found = areaUnderCurve(
          pairs.map(([value]) => value),
          pairs.map(([, isPositive]) => isPositive),
        );
        expect(found).toBeCloseTo(expected, 10);
      }),
    );
  });
});
