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

/** Outcomes whose confidence lies in one bin: `from` ≤ confidence < `to` (the last bin includes 1). */
export type ReliabilityBin = {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over the bin's outcomes; 0 when it is empty. */
  readonly confidence: number;
  readonly accuracy: number;
};

/** Sorts outcomes into bins of equal width by confidence, the probability of the answer. */
export function reliabilityBins(outcomes: readonly Outcome[], bins: number): ReliabilityBin[] {
  const count = new Array<number>(bins).fill(0);
  const confidence = new Array<number>(bins).fill(0);
  const hits = new Array<number>(bins).fill(0);
  for (const { truth, probabilities } of outcomes) {
    const predicted = argMax(probabilities);
    const sure = probabilities[predicted] as number;
    const bin = Math.min(bins - 1, Math.floor(sure * bins));
    count[bin] = (count[bin] as number) + 1;
    confidence[bin] = (confidence[bin] as number) + sure;
    hits[bin] = (hits[bin] as number) + (predicted === truth ? 1 : 0);
  }
  return count.map((n, bin) => ({
    from: bin / bins,
    to: (bin + 1) / bins,
    count: n,
    confidence: (confidence[bin] as number) / Math.max(1, n),
    accuracy: (hits[bin] as number) / Math.max(1, n),
  }));
}

/** Weighted distance between confidence and accuracy over equal-width bins (Guo et al. 2017, arXiv 1706.04599, eq. 3). */
export function calibrationError(outcomes: readonly Outcome[], bins: number): number {
  const gaps = reliabilityBins(outcomes, bins).map((bin) => bin.count * Math.abs(bin.confidence - bin.accuracy));
  return sum(gaps) / Math.max(1, outcomes.length);
}

/** How often each label is true, is answered, and is both. */
export type LabelCounts = Readonly<Record<'truth' | 'predicted' | 'hit', ArrayLike<number>>>;

/** F1 of each label, weighted by how often it is true; 0 for no outcomes at all. */
export function weightedF1({ truth, predicted, hit }: LabelCounts): number {
  let weighted = 0;
  let total = 0;
  for (let c = 0; c < truth.length; c++) {
    const [t, p, h] = [truth[c] as number, predicted[c] as number, hit[c] as number];
    if (h > 0) weighted += (2 * h * t) / (t + p);
    total += t;
  }
  return weighted / Math.max(1, total);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/**
 * Area under the ROC curve: the chance that a positive has a larger value than a negative, ties counting half; ½ when there
 * are none of either. By ranks (Mann & Whitney 1947), in n log n.
 */
export function areaUnderCurve(values: readonly number[], positive: readonly boolean[]): number {
  const order = values
    .map((value, i) => ({ value, isPositive: positive[i] === true }))
    .sort((a, b) => a.value - b.value);
  const positives = order.filter(({ isPositive }) => isPositive).length;
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return 0.5;
  let ranks = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && order[to]?.value === order[from]?.value) to++;
    // Equal values share the mean of their ranks, which count from 1.
    ranks += ((from + 1 + to) / 2) * order.slice(from, to).filter(({ isPositive }) => isPositive).length;
    from = to;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
