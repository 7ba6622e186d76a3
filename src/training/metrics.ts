import { createRandom } from '../model/random.ts';

/** One classified utterance. */
export type Outcome = { readonly dialogue: string; readonly truth: number; readonly probabilities: readonly number[] };

/** Quality of a set of outcomes. `confusion[truth][predicted]` counts. */
export type Metrics = {
  readonly utterances: number;
  readonly weightedF1: number;
  readonly macroF1: number;
  readonly accuracy: number;
  readonly classF1: readonly number[];
  readonly confusion: readonly (readonly number[])[];
  /** Expected calibration error over 15 bins of confidence. */
  readonly ece: number;
};

/** Index of the largest value; the first of equals. */
export function argMax(values: readonly number[]): number {
  let best = 0;
  values.forEach((value, i) => {
    if (value > (values[best] as number)) best = i;
  });
  return best;
}

/** Computes all metrics; F1 of a class that neither occurs nor is predicted is 0. */
export function computeMetrics(outcomes: readonly Outcome[], classes: number): Metrics {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { truth, probabilities } of outcomes) {
    const row = confusion[truth] as number[];
    const predicted = argMax(probabilities);
    row[predicted] = (row[predicted] as number) + 1;
  }
  const support = confusion.map((row) => sum(row));
  const classF1 = confusion.map((row, c) => {
    const predicted = sum(confusion.map((other) => other[c] as number));
    const both = (support[c] as number) + predicted;
    return both > 0 ? (2 * (row[c] as number)) / both : 0;
  });
  const total = Math.max(1, outcomes.length);
  return {
    utterances: outcomes.length,
    weightedF1: sum(classF1.map((f1, c) => f1 * (support[c] as number))) / total,
    macroF1: sum(classF1) / classes,
    accuracy: sum(confusion.map((row, c) => row[c] as number)) / total,
    classF1,
    confusion,
    ece: calibrationError(outcomes, 15),
  };
}

/** Weighted distance between confidence and accuracy over equal-width bins (Guo et al. 2017, arXiv 1706.04599, eq. 3). */
export function calibrationError(outcomes: readonly Outcome[], bins: number): number {
  const count = new Array<number>(bins).fill(0);
  const gap = new Array<number>(bins).fill(0);
  for (const { truth, probabilities } of outcomes) {
    const predicted = argMax(probabilities);
    const confidence = probabilities[predicted] as number;
    const bin = Math.min(bins - 1, Math.floor(confidence * bins));
    count[bin] = (count[bin] as number) + 1;
    gap[bin] = (gap[bin] as number) + confidence - (predicted === truth ? 1 : 0);
  }
  return sum(gap.map(Math.abs)) / Math.max(1, outcomes.length);
}

/** 95 % interval of the weighted F1 by resampling whole dialogues, since utterances of one dialogue are not independent. */
export function bootstrapInterval(
  outcomes: readonly Outcome[],
  classes: number,
  samples = 1000,
  seed = 1,
): readonly [number, number] {
  const byDialogue = new Map<string, Outcome[]>();
  for (const outcome of outcomes)
    byDialogue.set(outcome.dialogue, [...(byDialogue.get(outcome.dialogue) ?? []), outcome]);
  const tables = [...byDialogue.values()].map((list) => list.map((o) => [o.truth, argMax(o.probabilities)] as const));
  const random = createRandom(seed);
  const values = Array.from({ length: samples }, () => {
    const drawn = tables.map(() => tables[Math.floor(random() * tables.length)] ?? []);
    return weightedF1Of(drawn.flat(), classes);
  }).sort((a, b) => a - b);
  return [values[Math.floor(0.025 * samples)] ?? 0, values[Math.ceil(0.975 * samples) - 1] ?? 0];
}

function weightedF1Of(pairs: readonly (readonly [number, number])[], classes: number): number {
  const truth = new Array<number>(classes).fill(0);
  const predicted = new Array<number>(classes).fill(0);
  const hit = new Array<number>(classes).fill(0);
  for (const [t, p] of pairs) {
    truth[t] = (truth[t] as number) + 1;
    predicted[p] = (predicted[p] as number) + 1;
    if (t === p) hit[t] = (hit[t] as number) + 1;
  }
  return (
    sum(
      hit.map((h, c) =>
        h > 0 ? (2 * h * (truth[c] as number)) / ((truth[c] as number) + (predicted[c] as number)) : 0,
      ),
    ) / Math.max(1, pairs.length)
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
