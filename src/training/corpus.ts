import type { ModelConfig } from '../model/config.ts';
import { createTokenizer } from '../model/tokenizer.ts';
import type { TextCorpus } from './corpora/textCorpus.ts';
import {
  type FeatureNames,
  type GlobalStatistics,
  prepareDialogues,
  type PreparedUtterance,
  type UsedDataset,
} from './prepare.ts';
import type { SourceUse } from './stageConfig.ts';

/** One utterance by itself, and what its own corpus says of it: a share for each class, or values. */
export type Example = { readonly utterance: PreparedUtterance; readonly target: Float32Array };

/** Examples with one kind of target: what one head of a pre-training stage learns from. */
export type Corpus = {
  /** What the configuration calls its data: two sources of one set have two heads. */
  readonly name: string;
  readonly target: 'classes' | 'values';
  /** Names of the classes or values; the width of the target. */
  readonly names: readonly string[];
  readonly train: readonly Example[];
  readonly dev: readonly Example[];
};

/** The name of the data, the splits that are trained on, and those that are measured. */
type Use = Pick<SourceUse, 'data' | 'splits' | 'dev'>;

/** Makes the examples of a text corpus. */
export function fromTexts(model: ModelConfig, corpus: TextCorpus, use: Use): Corpus {
  const tokenize = createTokenizer(model.vocabulary, model.buckets);
  const pick = (wanted: readonly string[]): Example[] =>
    corpus.rows.flatMap(({ text, split, target }, i) => {
      if (!wanted.includes(split)) return [];
      const tokens = tokenize(text);
      const id = `${corpus.name}/${i}`;
      const utterance = { id, speaker: '', label: undefined, tokens, rows: new Map<string, Float32Array>() };
      return tokens.length > 0 ? [{ utterance, target: Float32Array.from(target) }] : [];
    });
  return { name: use.data, target: corpus.target, names: corpus.names, train: pick(use.splits), dev: pick(use.dev) };
}

/** Makes the examples of a dataset's labelled utterances. */
export function fromDataset(
  model: ModelConfig,
  { dataset }: Pick<UsedDataset, 'dataset'>,
  use: Use,
  names: FeatureNames,
  statistics: GlobalStatistics,
): Corpus {
  const pick = (wanted: readonly string[]): Example[] => {
    const dialogues = dataset.dialogues.filter((dialogue) => wanted.includes(dialogue.split));
    return prepareDialogues(model, dataset, dialogues, statistics, names).flatMap(({ utterances }) =>
      utterances.flatMap((utterance) => {
        if (utterance.label === undefined) return [];
        const target = new Float32Array(dataset.labels.length);
        target[utterance.label] = 1;
        return [{ utterance, target }];
      }),
    );
  };
  return { name: use.data, target: 'classes', names: dataset.labels, train: pick(use.splits), dev: pick(use.dev) };
}
