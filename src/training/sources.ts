import { UndertoneError } from '../errors.ts';
import type { TextCorpus } from './corpora/textCorpus.ts';
import type { Dataset } from './dataset.ts';
import type { UsedDataset } from './prepare.ts';
import type { SourceUse } from './stageConfig.ts';
import type { TrainConfig } from './trainConfig.ts';

/** What a name in a configuration stands for. */
export type Source =
  { readonly kind: 'dataset'; readonly dataset: Dataset } | { readonly kind: 'texts'; readonly corpus: TextCorpus };

/** Sources by name. */
export type Sources = ReadonlyMap<string, Source>;

/** Names of every source that a configuration needs; `undefined` = it takes whatever datasets are given. */
export function neededSources(config: TrainConfig): ReadonlySet<string> | undefined {
  if (config.sources.length === 0 && config.pretraining.length === 0) return undefined;
  const { audio, face, body } = config.pairing;
  return new Set([
    ...[...config.sources, ...config.pretraining.flatMap((stage) => stage.sources)].map(({ data }) => data),
    ...[audio, face, body].flatMap((name) => name ?? []),
  ]);
}

/** The source of a name. @throws UndertoneError BAD_DATASET naming those that are there */
export function sourceOf(sources: Sources, name: string): Source {
  const found = sources.get(name);
  if (found) return found;
  throw new UndertoneError(
    'BAD_DATASET',
    `training: the configuration uses "${name}", which is not among the data given (${[...sources.keys()].join(', ') || 'none'})`,
  );
}

/** The dataset of a name. @throws UndertoneError BAD_DATASET */
export function datasetOf(sources: Sources, name: string): Dataset {
  const source = sourceOf(sources, name);
  if (source.kind === 'dataset') return source.dataset;
  throw new UndertoneError('BAD_DATASET', `training: "${name}" is a text corpus, not a dataset`);
}

/** The dialogue-stage sources of a configuration, or every dataset given with the labels of the first. */
export function dialogueUses(config: TrainConfig, sources: Sources): readonly SourceUse[] {
  if (config.sources.length > 0) return config.sources;
  const datasets = [...sources].flatMap(([name, source]) => (source.kind === 'dataset' ? [name] : []));
  if (datasets.length === 0) throw new UndertoneError('BAD_DATASET', 'training: there is no dataset');
  return datasets.map((data) => ({ data, splits: ['train'], dev: [] }));
}

/** The dialogues of a dataset in the given splits. @throws UndertoneError BAD_DATASET when a split has none */
export function useSplits(dataset: Dataset, splits: readonly string[]): UsedDataset {
  for (const split of splits)
    if (!dataset.dialogues.some((dialogue) => dialogue.split === split))
      throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: it has no split "${split}"`);
  return { dataset, dialogues: dataset.dialogues.filter(({ split }) => splits.includes(split)) };
}

/** The texts of a corpus in the given splits. @throws UndertoneError BAD_DATASET when a split has none */
export function useTexts(corpus: TextCorpus, splits: readonly string[]): string[] {
  for (const split of splits)
    if (!corpus.rows.some((row) => row.split === split))
      throw new UndertoneError('BAD_DATASET', `text corpus ${corpus.name}: it has no split "${split}"`);
  return corpus.rows.flatMap(({ split, text }) => (splits.includes(split) ? [text] : []));
}
