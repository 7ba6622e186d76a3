import { UndertoneError } from '../errors.ts';
import { DEFAULT_SHAPE, type InputSpec, type ModelConfig } from '../model/config.ts';
import { newStatistics, normaliseRows, type SpeakerStatistics, withUtterance } from '../model/normalisation.ts';
import { buildVocabulary, createTokenizer, type Token } from '../model/tokenizer.ts';
import type { Dataset, LabelledDialogue } from './dataset.ts';
import type { TrainConfig } from './trainConfig.ts';

/** Mean and reciprocal standard deviation of each column of an input, over the training split. */
export type GlobalStatistics = ReadonlyMap<string, { readonly mean: Float32Array; readonly scale: Float32Array }>;

/** One utterance, ready for the network: what is absent is missing from the maps. */
export type PreparedUtterance = {
  readonly id: string;
  readonly speaker: string;
  readonly label: number | undefined;
  readonly tokens: readonly Token[];
  /** Normalised rows by input name. */
  readonly rows: ReadonlyMap<string, Float32Array>;
  /** Other rows that would do as well, such as those of the mirrored picture; training takes either. */
  readonly alternatives?: ReadonlyMap<string, Float32Array> | undefined;
  /** Factor of the class weight, where the classes of its source are not distributed as those of the first. 1 unless told. */
  readonly weight?: number | undefined;
};

/** One dialogue, ready for the network. */
export type PreparedDialogue = { readonly id: string; readonly utterances: readonly PreparedUtterance[] };

/** A feature with this ending holds the mirrored pictures of the feature without it. */
export const MIRRORED = '_flip';

/** Which feature of a dataset each input reads; by default the feature of the same name. */
export type FeatureNames = ReadonlyMap<string, string>;

/** The feature names of a training configuration. */
export function featureNames(config: TrainConfig): FeatureNames {
  return new Map(config.inputs.map((input) => [input.name, input.feature ?? input.name]));
}

/** The dialogues of a dataset that training may look at. */
export type UsedDataset = { readonly dataset: Dataset; readonly dialogues: readonly LabelledDialogue[] };

/**
 * Derives the network's shape from data: labels and their shares from the first dataset, widths from the first that has
 * the feature, the vocabulary from `texts`. @throws UndertoneError BAD_DATASET
 */
export function toModelConfig(
  config: TrainConfig,
  used: readonly UsedDataset[],
  texts: Iterable<string> = textsOf(used),
): ModelConfig {
  const first = used[0];
  if (!first) throw new UndertoneError('BAD_DATASET', 'training: there is no dataset');
  const { dataset } = first;
  const utterances = first.dialogues.flatMap((dialogue) => dialogue.utterances);
  const counts = dataset.labels.map((_, label) => utterances.filter((u) => u.label === label).length);
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0)
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: the training split has no labelled utterance`);
  const inputs: InputSpec[] = config.inputs.map(({ name, modality, kind, tokens, speakerRelative, feature }) => ({
    name,
    modality,
    kind,
    tokens,
    speakerRelative,
    dim: kind === 'tokens' ? 0 : featureOf(used, feature ?? name, kind).dim,
  }));
  return {
    ...DEFAULT_SHAPE,
    ...config.shape,
    labels: dataset.labels,
    prior: counts.map((count) => count / total),
    inputs,
    vocabulary: buildVocabulary(texts, config.minWordCount, config.vocabularyLimit),
  };
}

/** The texts of datasets' utterances. */
export function textsOf(used: readonly UsedDataset[]): string[] {
  return used.flatMap(({ dialogues }) => dialogues.flatMap((d) => d.utterances.flatMap((u) => u.text ?? [])));
}

function featureOf(used: readonly UsedDataset[], name: string, kind: string): { readonly dim: number } {
  const found = used.flatMap(({ dataset }) => dataset.features.get(name) ?? []);
  const names = used.map(({ dataset }) => dataset.name).join(', ');
  if (!found[0]) throw new UndertoneError('BAD_DATASET', `dataset ${names}: it has no feature "${name}"`);
  for (const feature of found) {
    if (!fits(feature.kind, kind))
      throw new UndertoneError(
        'BAD_DATASET',
        `dataset ${names}: feature "${name}" is a ${feature.kind}, not a ${kind}`,
      );
    if (feature.dim !== found[0].dim)
      throw new UndertoneError(
        'BAD_DATASET',
        `dataset ${names}: feature "${name}" has ${feature.dim} columns in one and ${found[0].dim} in another`,
      );
  }
  return found[0];
}

/** A vector is a sequence of one row; a sequence is no vector. */
function fits(feature: string, input: string): boolean {
  return feature === input || (feature === 'vector' && input === 'sequence');
}

/**
 * Statistics of each vector or sequence input over the first dataset that has its feature; a constant column gets scale 0.
 */
export function globalStatistics(
  model: ModelConfig,
  used: readonly UsedDataset[],
  names: FeatureNames,
): GlobalStatistics {
  const statistics = new Map<string, { mean: Float32Array; scale: Float32Array }>();
  for (const input of model.inputs) {
    if (input.kind === 'tokens') continue;
    const name = names.get(input.name) ?? input.name;
    const source = used.find(({ dataset }) => dataset.features.has(name));
    const feature = source?.dataset.features.get(name);
    const sums = new Float64Array(2 * input.dim);
    let count = 0;
    for (const { utterances } of source?.dialogues ?? [])
      for (const { index } of utterances) {
        const rows = feature?.rowsOf(index) ?? new Float32Array(0);
        for (let i = 0; i < rows.length; i++) {
          const k = i % input.dim;
          sums[k] = (sums[k] as number) + (rows[i] as number);
          sums[input.dim + k] = (sums[input.dim + k] as number) + (rows[i] as number) ** 2;
        }
        count += rows.length / input.dim;
      }
    const mean = Float32Array.from({ length: input.dim }, (_, k) => (sums[k] as number) / Math.max(1, count));
    const scale = mean.map((m, k) => reciprocalDeviation((sums[input.dim + k] as number) / Math.max(1, count) - m * m));
    statistics.set(input.name, { mean, scale });
  }
  return statistics;
}

function reciprocalDeviation(variance: number): number {
  return variance > 1e-10 ? 1 / Math.sqrt(variance) : 0;
}

/** Tokenises and normalises dialogues; speakers' running statistics begin anew in each dialogue, as in a live session. */
export function prepareDialogues(
  model: ModelConfig,
  dataset: Dataset,
  dialogues: readonly LabelledDialogue[],
  statistics: GlobalStatistics,
  names: FeatureNames,
): PreparedDialogue[] {
  const tokenize = createTokenizer(model.vocabulary, model.buckets);
  const hearsText = model.inputs.some((input) => input.kind === 'tokens');
  return dialogues.map(({ id, utterances }) => {
    const speakers = new Map<string, SpeakerStatistics>();
    const prepared = utterances.map((u) => {
      const rows = new Map<string, Float32Array>();
      const alternatives = new Map<string, Float32Array>();
      for (const input of model.inputs) {
        const global = statistics.get(input.name);
        const feature = names.get(input.name) ?? input.name;
        const values = dataset.features.get(feature)?.rowsOf(u.index);
        if (!global || !values) continue;
        const key = `${u.speaker}\u0000${input.name}`;
        const speaker = speakers.get(key) ?? newStatistics(input.dim);
        const normalised = normaliseRows(input, values, global, speaker);
        speakers.set(key, withUtterance(input, normalised, speaker));
        rows.set(input.name, normalised);
        const mirrored = dataset.features.get(`${feature}${MIRRORED}`)?.rowsOf(u.index);
        if (mirrored) alternatives.set(input.name, normaliseRows(input, mirrored, global, speaker));
      }
      return {
        id: `${id}/${u.id}`,
        speaker: u.speaker,
        label: u.label,
        tokens: hearsText && u.text ? tokenize(u.text) : [],
        rows,
        ...(alternatives.size > 0 && { alternatives }),
      };
    });
    return { id, utterances: prepared };
  });
}
