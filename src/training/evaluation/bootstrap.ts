import { createRandom } from '../../model/random.ts';
import { argMax, type Outcome, weightedF1 } from '../metrics.ts';

/** How many resamples an interval rests on, and the seed they are drawn from. */
export type BootstrapSettings = { readonly samples?: number; readonly seed?: number };

/** A value with its 95 % interval. */
export type Estimate = { readonly value: number; readonly interval: readonly [number, number] };

/** Weighted F1 of each resample of whole dialogues: the same draws for the same seed and number of dialogues. */
export type Resamples = {
  /** Dialogue and true label of every outcome: what two sets must share to be compared in pairs. */
  readonly key: string;
  readonly value: number;
  readonly samples: Float64Array;
};

/**
 * Resamples whole dialogues, since utterances of one dialogue are not independent: as many as there are, with replacement,
 * 1,000 times unless told otherwise. Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8, 13.
 */
export function resample(outcomes: readonly Outcome[], classes: number, settings: BootstrapSettings = {}): Resamples {
  const { samples = 1000, seed = 1 } = settings;
  const dialogues = [...tallies(outcomes, classes).values()];
  const random = createRandom(seed);
  const sum = new Int32Array(3 * classes);
  const values = Float64Array.from({ length: samples }, () => {
    sum.fill(0);
    for (let n = 0; n < dialogues.length; n++) {
      const drawn = dialogues[Math.floor(random() * dialogues.length)] as Int32Array;
      for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] as number) + (drawn[k] as number);
    }
    return f1Of(sum, classes);
  });
  const whole = new Int32Array(3 * classes);
  for (const tally of dialogues) tally.forEach((count, k) => (whole[k] = (whole[k] as number) + count));
  const key = outcomes.map(({ dialogue, truth }) => `${dialogue}\u0000${truth}`).join('\n');
  return { key, value: f1Of(whole, classes), samples: values };
}

/** Returns the 95 % percentile interval of resampled values. */
export function intervalOf(samples: Float64Array): readonly [number, number] {
  const sorted = samples.slice().sort();
  const at = (index: number): number => sorted[Math.max(0, index)] ?? 0;
  return [at(Math.floor(0.025 * sorted.length)), at(Math.ceil(0.975 * sorted.length) - 1)];
}

/**
 * Returns a − b of two sets of outcomes over the same utterances, with the interval of the paired differences: each
 * resample draws the same dialogues for both. @throws RangeError when they are not over the same utterances
 */
export function differenceOf(a: Resamples, b: Resamples): Estimate {
  if (a.key !== b.key || a.samples.length !== b.samples.length)
    throw new RangeError('differenceOf compares outcomes of the same utterances, resampled alike');
  return {
    value: a.value - b.value,
    interval: intervalOf(a.samples.map((value, i) => value - (b.samples[i] as number))),
  };
}

/** Per dialogue, in order of appearance: how often each label is true, is answered, and is both. */
function tallies(outcomes: readonly Outcome[], classes: number): Map<string, Int32Array> {
  const byDialogue = new Map<string, Int32Array>();
  for (const { dialogue, truth, probabilities } of outcomes) {
    const tally = byDialogue.get(dialogue) ?? new Int32Array(3 * classes);
    byDialogue.set(dialogue, tally);
    const predicted = argMax(probabilities);
    for (const at of [truth, classes + predicted, ...(predicted === truth ? [2 * classes + truth] : [])])
      tally[at] = (tally[at] as number) + 1;
  }
  return byDialogue;
}

function f1Of(tally: Int32Array, classes: number): number {
  return weightedF1({
    truth: tally.subarray(0, classes),
    predicted: tally.subarray(classes, 2 * classes),
    hit: tally.subarray(2 * classes),
  });
}
