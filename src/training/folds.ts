import { UndertoneError } from '../errors.ts';
import type { Dataset } from './dataset.ts';
import type { SourceUse } from './stageConfig.ts';
import type { TrainConfig } from './trainConfig.ts';

/** One turn of a cross-validation: the fold that is measured, the one that selects, and those that are trained on. */
export type FoldPlan = { readonly held: string; readonly dev: string; readonly train: readonly string[] };

const FOLD = /^fold\d+$/;

/**
 * Plans a cross-validation over the splits `fold0`, `fold1`, … of a dataset: each is held out once, the next one (after the
 * last, the first) selects and calibrates, the others train.
 * @throws UndertoneError BAD_DATASET with fewer than three folds
 */
export function planFolds(dataset: Dataset): FoldPlan[] {
  const folds = [...new Set(dataset.dialogues.map(({ split }) => split))].filter((split) => FOLD.test(split));
  folds.sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
  if (folds.length < 3)
    throw new UndertoneError(
      'BAD_DATASET',
      `dataset ${dataset.name}: cross-validation needs the splits fold0, fold1, fold2 or more, and it has ${folds.length}`,
    );
  return folds.map((held, i) => {
    const dev = folds[(i + 1) % folds.length] as string;
    return { held, dev, train: folds.filter((fold) => fold !== held && fold !== dev) };
  });
}

/**
 * The configuration of one turn: wherever it uses the dataset `name`, the turn's splits take the place of its own.
 * Sources of other names stay as they are.
 */
export function withFold(config: TrainConfig, name: string, plan: FoldPlan): TrainConfig {
  const use = (source: SourceUse): SourceUse =>
    source.data === name ? { ...source, splits: plan.train, dev: [plan.dev] } : source;
  const sources = config.sources.length > 0 ? config.sources : [{ data: name, splits: [], dev: [] }];
  return {
    ...config,
    sources: sources.map(use),
    pretraining: config.pretraining.map((stage) => ({ ...stage, sources: stage.sources.map(use) })),
  };
}
