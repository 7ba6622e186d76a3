import type { Weights } from '../../model/weights.ts';
import { differenceOf, intervalOf, resample, type Resamples } from './bootstrap.ts';
import { type Pass, runPass } from './pass.ts';
import { type ComparedRow, type EvaluationRow, RELIABILITY_BINS } from './result.ts';
import type { EvaluatedSplit } from './split.ts';
import { computeMetrics, type Outcome, reliabilityBins } from '../metrics.ts';

/** What one pass measured, and the resamples that comparisons in pairs need, one per row. */
export type Measured = {
  readonly rows: readonly EvaluationRow[];
  readonly resamples: readonly Resamples[];
  readonly truths: readonly Outcome[];
};

/** Classifies a split once and measures it. @throws StoppedError when it was told to stop */
export type Runner = (pass: Pass) => Promise<Measured>;

/** The evaluation was told to stop. */
export class StoppedError extends Error {}

/** What a runner reports to: classifications done, of all that `passes` make. */
export type RunnerOptions = {
  readonly lookAheads: readonly number[];
  readonly passes: number;
  readonly onProgress: (done: number, total: number) => void;
  readonly isStopped: () => boolean;
};

/** Makes a runner over one split. */
export function createRunner(weights: Weights, split: EvaluatedSplit, options: RunnerOptions): Runner {
  const { lookAheads, passes, onProgress, isStopped } = options;
  const total = passes * split.dialogues.reduce((sum, { utterances }) => sum + utterances.length, 0);
  let done = 0;
  const advance = (utterances: number): void => onProgress((done += utterances), total);
  return async (pass) => {
    const outcomes = await runPass(weights, split, { ...pass, lookAheads, advance, isStopped });
    if (!outcomes) throw new StoppedError();
    return measure(outcomes, split.labels.length);
  };
}

function measure(outcomes: ReadonlyMap<number, readonly Outcome[]>, classes: number): Measured {
  const measured = [...outcomes].map(([lookAhead, list]) => {
    const resamples = resample(list, classes);
    const row: EvaluationRow = {
      lookAhead,
      metrics: computeMetrics(list, classes),
      interval: intervalOf(resamples.samples),
      bins: reliabilityBins(list, RELIABILITY_BINS),
    };
    return { row, resamples };
  });
  return {
    rows: measured.map(({ row }) => row),
    resamples: measured.map(({ resamples }) => resamples),
    truths: [...outcomes.values()][0] ?? [],
  };
}

/** Returns the rows of a variant with their differences from another pass, look-ahead by look-ahead. */
export function compare(variant: Measured, against: Measured): ComparedRow[] {
  return variant.rows.map((row, i) => ({
    ...row,
    difference: differenceOf(variant.resamples[i] as Resamples, against.resamples[i] as Resamples),
  }));
}
