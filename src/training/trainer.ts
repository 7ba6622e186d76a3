import { type Mode, type ModelConfig, modeOf } from '../model/config.ts';
import { NO_FUTURE, WHOLE_FUTURE } from '../model/dialogueContext.ts';
import { installGradients } from '../model/ops/gradients.ts';
import { initialValues, startValuesOf } from '../model/parameters.ts';
import type { Weights } from '../model/weights.ts';
import { fitTemperature } from './calibration.ts';
import { type Checkpoint, readCheckpoint, withoutExtras, writeCheckpoint } from './checkpoint.ts';
import { type DialogueEvent, inferAll, type Inferred, MODE_SUBSETS, toMetrics } from './dialogueStage.ts';
import { headPrefix } from './encoderLearner.ts';
import { runEncoderStage, type StageEvent } from './encoderStage.ts';
import { createLearner, DIALOGUE_EXTRAS } from './learner.ts';
import { showAll, type Shown } from './masks.ts';
import { runMembers } from './members.ts';
import type { PreparedDialogue } from './prepare.ts';
import { runFingerprint } from './runFingerprint.ts';
import type { Sources } from './sources.ts';
import type { EncoderStage } from './stageConfig.ts';
import type { TrainConfig } from './trainConfig.ts';
import { newLearnerState } from './trainee.ts';
import { prepareTraining, type TrainSetup } from './trainSetup.ts';

/** What training reports as it goes: after every batch, and after every epoch of each stage. */
export type TrainEvent = StageEvent | DialogueEvent;

/** Options of a training run. */
export type TrainOptions = {
  readonly config: TrainConfig;
  readonly sources: Sources;
  /**
   * Weights to start from in place of pre-training: their vocabulary and normalisation, and their values where name and
   * size fit.
   */
  readonly start?: Weights | undefined;
  /** Told the weights as they are when pre-training ends, with random values where it taught nothing. */
  readonly pretrained?: ((weights: Weights) => Promise<void>) | undefined;
  /** Folder of the checkpoint. */
  readonly folder: string;
  readonly resume: boolean;
  /** Asked after every batch; when it says true, training stops and can be resumed from the last whole epoch. */
  readonly isStopped: () => boolean;
  readonly report: (event: TrainEvent) => void;
};

/** What training ends with; `undefined` weights when it was stopped. */
export type TrainResult = {
  readonly weights: Weights | undefined;
  readonly bestEpoch: number;
  readonly epochs: number;
};

/**
 * Trains in stages: the encoders of the configuration one after the other, then the whole network on dialogues, then
 * calibration. The same configuration, seed, data and backend give the same weights, interrupted or not: all randomness
 * is drawn anew for each epoch from the seed, and a checkpoint is written between epochs.
 * @throws UndertoneError BAD_DATASET, BAD_CHECKPOINT, OUTPUT_FAILED
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config } = options;
  await installGradients();
  const setup = prepareTraining(options);
  const { model } = setup;
  const run = runFingerprint({ ...options, model, statistics: setup.statistics });
  const found = options.resume ? await readCheckpoint(options.folder, run) : undefined;
  const initial = startingValues(options, setup);
  let at: Checkpoint = found ?? {
    model,
    state: newLearnerState(initial),
    stage: 0,
    epoch: 0,
    bestEpoch: 0,
    bestScore: -1,
    best: withoutExtras(initial),
  };
  const stages = options.start ? [] : config.pretraining;
  for (const stage of stages.slice(at.stage)) {
    const next = await pretrain(options, setup, stage, at, run);
    if (!next) return { weights: undefined, bestEpoch: 0, epochs: 0 };
    at = next;
  }
  if (stages.length > 0 && at.epoch === 0)
    await options.pretrained?.({
      config: model,
      values: withoutExtras(at.state.values),
      provenance: { ...originOf(config), dev: {} },
    });
  const end = await runMembers(setup.data, at, {
    ...options,
    keep: (checkpoint) => writeCheckpoint(options.folder, run, checkpoint),
  });
  if (!end) return { weights: undefined, bestEpoch: 0, epochs: 0 };
  return { weights: await finishWeights(config, setup, end), bestEpoch: end.bestEpoch, epochs: end.epoch };
}

function originOf({ name, trainedOn, licence, seed }: TrainConfig): Omit<Weights['provenance'], 'dev'> {
  return { name, trainedOn, licence, seed };
}

function startingValues({ config, start }: TrainOptions, { model, statistics }: TrainSetup): Map<string, Float32Array> {
  const initial = initialValues(model, config.seed);
  for (const spec of DIALOGUE_EXTRAS) initial.set(spec.name, startValuesOf(spec, config.seed));
  for (const [name, values] of start?.values ?? [])
    if (initial.get(name)?.length === values.length) initial.set(name, values.slice());
  for (const [name, { mean, scale }] of statistics) initial.set(`${name}.mean`, mean).set(`${name}.scale`, scale);
  return initial;
}

/** Runs one stage of pre-training and returns where the next one begins: the values learnt, everything else anew. */
async function pretrain(
  options: TrainOptions,
  { model, corporaOf }: TrainSetup,
  stage: EncoderStage,
  at: Checkpoint,
  run: string,
): Promise<Checkpoint | undefined> {
  const corpora = corporaOf(stage);
  const isDone = await runEncoderStage(stage, corpora, at.state, at.epoch, {
    model,
    seed: options.config.seed,
    perEpoch: new Map(stage.sources.map(({ data, perEpoch }) => [data, perEpoch])),
    isStopped: options.isStopped,
    report: options.report,
    keep: (epoch) => writeCheckpoint(options.folder, run, { ...at, epoch }),
  });
  if (!isDone) return undefined;
  const values = new Map([...at.state.values].filter(([name]) => !name.startsWith(headPrefix(stage))));
  const next: Checkpoint = { ...at, state: newLearnerState(values), stage: at.stage + 1, epoch: 0 };
  await writeCheckpoint(options.folder, run, next);
  return next;
}

/** Takes the best epoch's values, fits temperatures on dev and writes down where the weights come from. */
async function finishWeights(
  config: TrainConfig,
  { model, data, calibration }: TrainSetup,
  end: Checkpoint,
): Promise<Weights> {
  const values = withoutExtras(end.best);
  const learner = createLearner(model, config, newLearnerState(addExtras(values)));
  try {
    const infer = async (subset: string | undefined, dialogues = data.dev): Promise<Inferred[]> => {
      const show = (dialogue: PreparedDialogue): Shown =>
        showAll(model, dialogue).map(
          (present) => new Set([...present].filter((m) => subset?.split('+').includes(modeOf(m)) ?? true)),
        );
      const now = await inferAll(learner, model, dialogues, NO_FUTURE, show);
      return [...now, ...(await inferAll(learner, model, dialogues, WHOLE_FUTURE, show))];
    };
    const temperatures: Record<string, number> = {};
    for (const subset of MODE_SUBSETS)
      for (const dialogues of [data.dev, calibration]) {
        if (!canShow(model, dialogues, subset)) continue;
        const own = (await infer(subset, dialogues)).filter(({ modes }) => modes === subset);
        if (own.length < MIN_CALIBRATION) continue;
        temperatures[subset] = fitTemperature(own);
        break;
      }
    const all = await infer(undefined);
    const temperature = Math.max(fitTemperature(all), ...Object.values(temperatures));
    const temperatureOf = (modes: string): number => temperatures[modes] ?? temperature;
    const half = all.length / 2;
    const [now, whole] = [all.slice(0, half), all.slice(half)].map((list) =>
      toMetrics(list, temperatureOf, model.labels.length),
    ) as [ReturnType<typeof toMetrics>, ReturnType<typeof toMetrics>];
    return {
      config: { ...model, temperature, temperatures },
      values,
      provenance: {
        ...originOf(config),
        dev: { weightedF1Whole: whole.weightedF1, weightedF1Now: now.weightedF1, eceWhole: whole.ece },
      },
    };
  } finally {
    learner.dispose();
  }
}

/** Whether any utterance has all modes of a combination; if none does, nothing need be classified to know. */
function canShow(model: ModelConfig, dialogues: readonly PreparedDialogue[], subset: string): boolean {
  return dialogues.some((dialogue) =>
    showAll(model, dialogue).some((present) => {
      const modes = new Set([...present].map(modeOf));
      return subset.split('+').every((mode) => modes.has(mode as Mode));
    }),
  );
}

/** Fewer utterances than this (twice each: with and without future) do not make a temperature of their own. */
const MIN_CALIBRATION = 100;

function addExtras(values: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...values, ...DIALOGUE_EXTRAS.map((spec) => [spec.name, startValuesOf(spec, 0)] as const)]);
}
