import type { Weights } from '../../model/weights.ts';
import { differenceOf, intervalOf, resample, type Resamples } from './bootstrap.ts';
import { type Pass, type PassControl, runPass } from './pass.ts';
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

/** What every pass of a runner measures, and what it reports to. */
export type RunnerOptions = PassControl & { readonly lookAheads: readonly number[] };

/** Makes a runner over one split. */
export function createRunner(weights: Weights, split: EvaluatedSplit, options: RunnerOptions): Runner {
  return async (pass) => {
    const outcomes = await runPass(weights, split, { ...pass, ...options });
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
