import { UndertoneError } from '../errors.ts';
import type { ModelConfig } from '../model/config.ts';
import type { Weights } from '../model/weights.ts';
import { type Corpus, fromDataset, fromTexts } from './corpus.ts';
import type { Dataset } from './dataset.ts';
import type { DialogueData } from './dialogueStage.ts';
import { classWeights } from './losses.ts';
import { createDonors, type Donors } from './pairing.ts';
import {
  featureNames,
  type GlobalStatistics,
  globalStatistics,
  prepareDialogues,
  type PreparedDialogue,
  textsOf,
  toModelConfig,
  type UsedDataset,
} from './prepare.ts';
import { datasetOf, dialogueUses, type Source, sourceOf, type Sources, useSplits, useTexts } from './sources.ts';
import type { EncoderStage, SourceUse } from './stageConfig.ts';
import type { TrainConfig } from './trainConfig.ts';

/** What a training works with, read out of its sources. */
export type TrainSetup = {
  readonly model: ModelConfig;
  readonly statistics: GlobalStatistics;
  /** Examples of the sources of a stage, in their order. */
  readonly corporaOf: (stage: EncoderStage) => Corpus[];
  readonly data: DialogueData;
  /** Dev dialogues of the other sources, for combinations of modes that the first one never has. */
  readonly calibration: readonly PreparedDialogue[];
};

/** What a setup is made from; weights to `start` from take the place of pre-training. */
export type SetupRequest = {
  readonly config: TrainConfig;
  readonly sources: Sources;
  readonly start?: Weights | undefined;
};

/**
 * Returns everything that the configuration asks for, read out of the sources: the shape of the network with its vocabulary
 * and normalisation, the examples of each stage, the dialogues and their donors.
 * @throws UndertoneError BAD_DATASET when the sources do not fit the configuration or one another
 */
export function prepareTraining({ config, sources, start }: SetupRequest): TrainSetup {
  const names = featureNames(config);
  const uses = dialogueUses(config, sources);
  const used = uses.map(({ data, splits }) => useSplits(datasetOf(sources, data), splits));
  const main = (used[0] as UsedDataset).dataset;
  const devSplit = uses[0]?.dev.find((name) => main.dialogues.some(({ split }) => split === name)) ?? 'dev';
  const development = useSplits(main, [devSplit]);
  if (!development.dialogues.some(({ utterances }) => utterances.some((u) => u.label !== undefined)))
    throw bad(`dataset ${main.name}: the split "${devSplit}" has no labelled utterance`);
  const lending = lendersOf(config, sources);
  const lent = lending.map((donor) => donor.used);
  checkLabels(main, [...used, ...lent]);
  const early = start ? [] : readStages(config, sources);
  for (const { data, splits } of [...uses, ...early.map(({ use }) => use)])
    if (data === uses[0]?.data && splits.includes(devSplit))
      throw bad(`dataset ${main.name}: the split "${devSplit}" selects and calibrates, so nothing may train on it`);
  const all = [
    ...used,
    ...lent,
    ...early.flatMap(({ use, source }) => (source.kind === 'dataset' ? [useSplits(source.dataset, use.splits)] : [])),
  ];
  const texts = [
    ...textsOf(used),
    ...early.flatMap(({ use, source }) => (source.kind === 'texts' ? useTexts(source.corpus, use.splits) : [])),
  ];
  const derived = toModelConfig(config, all, texts);
  const model = start ? { ...derived, vocabulary: start.config.vocabulary } : derived;
  const statistics = new Map([...globalStatistics(model, all, names), ...statisticsOf(model, start)]);
  const ready = ({ dataset, dialogues }: UsedDataset): ReturnType<typeof prepareDialogues> =>
    prepareDialogues(model, dataset, dialogues, statistics, names);
  return {
    model,
    statistics,
    corporaOf: (stage) =>
      stage.sources.map((use) => {
        const source = sourceOf(sources, use.data);
        return source.kind === 'texts'
          ? fromTexts(model, source.corpus, use)
          : fromDataset(model, source, use, names, statistics);
      }),
    data: {
      model,
      sources: used.map((one, i) => ({
        dialogues:
          i === 0
            ? ready(one)
            : weighByOwnClasses(ready(one), model, {
                own: uses[i]?.classWeightPower ?? config.classWeightPower,
                first: config.classWeightPower,
              }),
        perEpoch: uses[i]?.perEpoch,
      })),
      dev: ready(development),
      donors: lending.map((donor) => createDonors(donor.modality, ready(donor.used))),
    },
    calibration: used
      .slice(1)
      .flatMap(({ dataset }) =>
        dataset.dialogues.some(({ split }) => split === 'dev') ? ready(useSplits(dataset, ['dev'])) : [],
      ),
  };
}

type Lender = { readonly modality: Donors['modality']; readonly used: UsedDataset };

function lendersOf({ pairing }: TrainConfig, sources: Sources): Lender[] {
  return (['audio', 'face', 'body'] as const).flatMap((modality) => {
    const name = pairing[modality];
    return name === undefined ? [] : [{ modality, used: useSplits(datasetOf(sources, name), ['train']) }];
  });
}

function checkLabels(main: Dataset, used: readonly UsedDataset[]): void {
  for (const { dataset } of used)
    if (dataset.labels.join('\n') !== main.labels.join('\n'))
      throw bad(
        `dataset ${dataset.name}: its labels are not those of ${main.name}, with which it shares the dialogue stage`,
      );
}

type StageSource = { readonly use: SourceUse; readonly source: Source };

/** The sources of all stages before the dialogues. Texts have nothing for a voice or a face. */
function readStages({ pretraining, inputs }: TrainConfig, sources: Sources): StageSource[] {
  const hasWords = inputs.some(({ kind }) => kind === 'tokens');
  return pretraining.flatMap(({ name, mode, sources: uses }) =>
    uses.map((use) => {
      const source = sourceOf(sources, use.data);
      if (source.kind === 'texts' && !(mode === 'text' && hasWords))
        throw bad(`training: "${use.data}" is a text corpus, of which the stage "${name}" (${mode}) can learn nothing`);
      return { use, source };
    }),
  );
}

function bad(message: string): UndertoneError {
  return new UndertoneError('BAD_DATASET', message);
}

/** Gives utterances of a further source the class weights of that source: its classes are distributed otherwise. */
function weighByOwnClasses(
  dialogues: readonly PreparedDialogue[],
  { prior }: ModelConfig,
  power: { readonly own: number; readonly first: number },
): PreparedDialogue[] {
  const labels = dialogues.flatMap(({ utterances }) => utterances.flatMap(({ label }) => label ?? []));
  const shares = prior.map((_, c) => labels.filter((label) => label === c).length / Math.max(1, labels.length));
  const [own, first] = [classWeights(shares, power.own), classWeights(prior, power.first)];
  const factors = own.map((weight, c) => ((first[c] as number) > 0 ? weight / (first[c] as number) : 1));
  return dialogues.map(({ id, utterances }) => ({
    id,
    utterances: utterances.map((u) => (u.label === undefined ? u : { ...u, weight: factors[u.label] })),
  }));
}

/** The normalisation of weights, for inputs of the same name and width. */
function statisticsOf(model: ModelConfig, start: Weights | undefined): GlobalStatistics {
  return new Map(
    model.inputs.flatMap((input) => {
      const [mean, scale] = ['mean', 'scale'].map((kind) => start?.values.get(`${input.name}.${kind}`));
      return mean?.length === input.dim && scale?.length === input.dim ? [[input.name, { mean, scale }]] : [];
    }),
  );
}
