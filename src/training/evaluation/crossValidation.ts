import { MODALITIES } from '../../domain/modality.ts';
import type { Weights } from '../../model/weights.ts';
import type { Dataset } from '../dataset.ts';
import { intervalOf, resample } from './bootstrap.ts';
import { hideAllBut } from './hiddenModalities.ts';
import { type PassOutcomes, runPass } from './pass.ts';
import { type EvaluationRow, RELIABILITY_BINS } from './result.ts';
import { readSplit } from './split.ts';
import { computeMetrics, reliabilityBins } from '../metrics.ts';

/** Look-aheads at which a cross-validation is measured: without any future, and with the whole of it. */
export const FOLD_LOOK_AHEADS: readonly number[] = [0, Infinity];

/** Classifies the held-out fold with the weights that never saw it; `undefined` when it was told to stop. */
export async function classifyFold(
  weights: Weights,
  dataset: Dataset,
  held: string,
  isStopped: () => boolean,
): Promise<PassOutcomes | undefined> {
  const split = readSplit(weights.config, dataset, held);
  const hidden = hideAllBut(split, MODALITIES);
  return runPass(weights, split, { hidden, lookAheads: FOLD_LOOK_AHEADS, advance: () => undefined, isStopped });
}

/** Measures the outcomes of all folds together, at each look-ahead. */
export function poolFolds(folds: readonly PassOutcomes[], classes: number): EvaluationRow[] {
  return FOLD_LOOK_AHEADS.map((lookAhead) => {
    const outcomes = folds.flatMap((fold) => fold.get(lookAhead) ?? []);
    return {
      lookAhead,
      metrics: computeMetrics(outcomes, classes),
      interval: intervalOf(resample(outcomes, classes).samples),
      bins: reliabilityBins(outcomes, RELIABILITY_BINS),
    };
  });
}
