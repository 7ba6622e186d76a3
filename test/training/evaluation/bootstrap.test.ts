import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/model/random.ts';
import { differenceOf, intervalOf, resample, type Resamples } from '../../../src/training/evaluation/bootstrap.ts';
import { computeMetrics, type Outcome } from '../../../src/training/metrics.ts';

const answer = (truth: number, predicted: number, dialogue = 'd'): Outcome => ({
  dialogue,
  truth,
  probabilities: [0, 1, 2].map((c) => (c === predicted ? 1 : 0)),
});
/** 1,200 answers in 100 dialogues, of which a share is right beyond chance. */
const answers = (right: number, seed: number): Outcome[] => {
  const random = createRandom(seed);
  const truths = createRandom(99);
  return Array.from({ length: 1200 }, (_, i) => {
    const truth = Math.floor(3 * truths());
    return answer(truth, random() < right ? truth : Math.floor(3 * random()), `dialogue ${i % 100}`);
  });
};
const many = answers(0.6, 3);

/** The same resampling, slow and obvious: dialogues drawn by index, their outcomes put together and measured. */
function slowResample(outcomes: readonly Outcome[], samples: number, seed: number): number[] {
  const names = [...new Set(outcomes.map(({ dialogue }) => dialogue))];
  const random = createRandom(seed);
  return Array.from({ length: samples }, () => {
    const drawn = names.map(() => names[Math.floor(random() * names.length)]);
    return computeMetrics(
      drawn.flatMap((name) => outcomes.filter(({ dialogue }) => dialogue === name)),
      3,
    ).weightedF1;
  });
}

describe('resample', () => {
  it('is the weighted F1 of whole dialogues drawn with replacement.', () => {
    const list = many.slice(0, 90).map((o, i) => ({ ...o, dialogue: `d${i % 7}` }));
    const { samples, value } = resample(list, 3, { samples: 20, seed: 4 });
    slowResample(list, 20, 4).forEach((expected, i) => expect(samples[i]).toBeCloseTo(expected, 12));
    expect(value).toBeCloseTo(computeMetrics(list, 3).weightedF1, 12);
  });

  it('gives an interval that holds the whole, and narrows with more data.', () => {
    const [low, high] = intervalOf(resample(many, 3, { samples: 300 }).samples);
    const { weightedF1 } = computeMetrics(many, 3);
    expect(low).toBeLessThan(weightedF1);
    expect(high).toBeGreaterThan(weightedF1);
    const [fewLow, fewHigh] = intervalOf(resample(many.slice(0, 60), 3, { samples: 300 }).samples);
    expect(high - low).toBeLessThan(fewHigh - fewLow);
    // The normal approximation of a share near .73 over 1,200 independent answers is ± .025.
    expect(high - low).toBeGreaterThan(0.025);
    expect(high - low).toBeLessThan(0.1);
  });

  it('gives the same resamples for the same seed, and others for another.', () => {
    expect(resample(many, 3, { samples: 50, seed: 5 })).toEqual(resample(many, 3, { samples: 50, seed: 5 }));
    expect(resample(many, 3, { samples: 50, seed: 5 })).not.toEqual(resample(many, 3, { samples: 50, seed: 6 }));
  });

  it('resamples dialogues, not utterances: one dialogue has no spread, and none is 0.', () => {
    const one = many.map((o) => ({ ...o, dialogue: 'the only one' }));
    const [low, high] = intervalOf(resample(one, 3, { samples: 50 }).samples);
    expect(low).toBeCloseTo(computeMetrics(one, 3).weightedF1, 12);
    expect(high).toBe(low);
    expect(intervalOf(resample([], 3, { samples: 10 }).samples)).toEqual([0, 0]);
  });
});

describe('intervalOf', () => {
  it('cuts 2.5 % off each end, whatever the order.', () => {
    const samples = Float64Array.from({ length: 1000 }, (_, i) => ((i * 7) % 1000) / 1000);
    expect(intervalOf(samples)).toEqual([0.025, 0.974]);
  });
});

describe('differenceOf', () => {
  const better = answers(0.8, 8);

  it('compares in pairs: tighter than the two intervals apart, and of the other sign the other way round.', () => {
    const [a, b] = [resample(better, 3), resample(many, 3)];
    const { value, interval } = differenceOf(a, b);
    expect(value).toBeCloseTo(computeMetrics(better, 3).weightedF1 - computeMetrics(many, 3).weightedF1, 12);
    expect(interval[0]).toBeGreaterThan(0);
    expect(interval[0]).toBeLessThan(value);
    expect(interval[1]).toBeGreaterThan(value);
    const back = differenceOf(b, a);
    expect(back.value).toBeCloseTo(-value, 12);
    expect(back.interval[1]).toBeLessThan(0);
  });

  it('is exactly 0 between a set and itself, though the set alone is uncertain.', () => {
    const a = resample(many, 3);
    expect(differenceOf(a, resample(many, 3))).toEqual({ value: 0, interval: [0, 0] });
    expect(intervalOf(a.samples)[0]).toBeLessThan(intervalOf(a.samples)[1]);
  });

  it('refuses sets of other utterances, in another order or resampled more often.', () => {
    const a = resample(many, 3, { samples: 10 });
    const others: Resamples[] = [
      resample(many.slice(1), 3, { samples: 10 }),
      resample([...many].reverse(), 3, { samples: 10 }),
      resample(many, 3, { samples: 11 }),
    ];
    for (const other of others) expect(() => differenceOf(a, other)).toThrow(RangeError);
    fc.assert(
      fc.property(fc.nat(many.length - 1), (at) => {
        const changed = many.map((o, i) => (i === at ? { ...o, truth: (o.truth + 1) % 3 } : o));
        expect(() => differenceOf(a, resample(changed, 3, { samples: 10 }))).toThrow(RangeError);
      }),
      { numRuns: 5 },
    );
  });
});
