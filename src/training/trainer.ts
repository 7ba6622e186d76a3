import { UndertoneError } from '../errors.ts';
import { type ModelConfig } from '../model/config.ts';
import { softmax } from '../model/conversation.ts';
import { type FutureCut, NO_FUTURE, WHOLE_FUTURE } from '../model/dialogueContext.ts';
import { installGradients } from '../model/ops/gradients.ts';
import { initialValues } from '../model/parameters.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../model/random.ts';
import type { Weights } from '../model/weights.ts';
import { schedule } from './adam.ts';
import { toBatch } from './batch.ts';
import { fitTemperature } from './calibration.ts';
import { type Checkpoint, fingerprint, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Dataset } from './dataset.ts';
import { createLearner, type Learner, newLearnerState } from './learner.ts';
import { drawMasks, showAll, type Shown } from './masks.ts';
import { computeMetrics, type Metrics, type Outcome } from './metrics.ts';
import { featureNames, globalStatistics, prepareDialogues, type PreparedDialogue, toModelConfig } from './prepare.ts';
import type { TrainConfig } from './trainConfig.ts';

/** What training reports as it goes: after every batch, and after every epoch. */
export type TrainEvent =
  | {
      readonly type: 'batch';
      readonly epoch: number;
      readonly batch: number;
      readonly batches: number;
      readonly loss: number;
    }
  | {
      readonly type: 'epoch';
      readonly epoch: number;
      readonly loss: number;
      readonly dev: EpochScores;
      readonly isBest: boolean;
    };

/** Weighted F1 on dev without any future (look-ahead 0) and with the whole future. */
export type EpochScores = { readonly now: number; readonly whole: number };

/** Options of a training run. */
export type TrainOptions = {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
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
 * Trains on the split "train" and selects on "dev" by weighted F1, the mean of look-ahead 0 and the whole future. The
 * same configuration, seed, data and backend give the same weights, interrupted or not: all randomness is drawn anew for
 * each epoch from the seed, and a checkpoint is written between epochs.
 * @throws UndertoneError BAD_DATASET, BAD_CHECKPOINT, OUTPUT_FAILED
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config, dataset } = options;
  await installGradients();
  const names = featureNames(config);
  const pick = (split: string): Dataset['dialogues'] =>
    dataset.dialogues.filter((dialogue) => dialogue.split === split);
  for (const split of ['train', 'dev'])
    if (pick(split).length === 0)
      throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: it has no split "${split}"`);
  if (!pick('dev').some(({ utterances }) => utterances.some((u) => u.label !== undefined)))
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: the split "dev" has no labelled utterance`);
  const model = toModelConfig(config, dataset, pick('train'));
  const statistics = globalStatistics(model, dataset, pick('train'), names);
  const [training, dev] = [pick('train'), pick('dev')].map((split) =>
    prepareDialogues(model, dataset, split, statistics, names),
  ) as [PreparedDialogue[], PreparedDialogue[]];
  const run = fingerprint(
    config,
    model,
    dataset.name,
    training.map((d) => [d.id, d.utterances.length]),
  );
  const found = options.resume ? await readCheckpoint(options.folder, run) : undefined;
  const initial = initialValues(model, config.seed);
  for (const [name, { mean, scale }] of statistics) initial.set(`${name}.mean`, mean).set(`${name}.scale`, scale);
  const start: Checkpoint = found ?? {
    model,
    state: newLearnerState(model, initial),
    epoch: 0,
    bestEpoch: 0,
    bestScore: -1,
    best: initial,
  };
  const learner = createLearner(model, config, start.state);
  try {
    const end = await runEpochs(options, { model, learner, training, dev, run }, start);
    if (!end) return { weights: undefined, bestEpoch: 0, epochs: 0 };
    return { weights: finishWeights(options, model, end, dev), bestEpoch: end.bestEpoch, epochs: end.epoch };
  } finally {
    learner.dispose();
  }
}

type Run = { model: ModelConfig; learner: Learner; training: PreparedDialogue[]; dev: PreparedDialogue[]; run: string };

async function runEpochs(options: TrainOptions, run: Run, start: Checkpoint): Promise<Checkpoint | undefined> {
  const { config, report } = options;
  let at = start;
  while (at.epoch < config.epochs && at.epoch - at.bestEpoch < config.patience) {
    const epoch = at.epoch + 1;
    const loss = await runEpoch(options, run, epoch);
    if (loss === undefined) return undefined;
    const dev = { now: score(run, NO_FUTURE).weightedF1, whole: score(run, WHOLE_FUTURE).weightedF1 };
    const mean = (dev.now + dev.whole) / 2;
    const isBest = mean > at.bestScore;
    const best = isBest
      ? new Map([...run.learner.state.values].map(([name, values]) => [name, values.slice()]))
      : at.best;
    at = { ...at, state: run.learner.state, epoch, best, ...(isBest ? { bestEpoch: epoch, bestScore: mean } : {}) };
    await writeCheckpoint(options.folder, run.run, at);
    report({ type: 'epoch', epoch, loss, dev, isBest });
  }
  return at;
}

async function runEpoch(options: TrainOptions, run: Run, epoch: number): Promise<number | undefined> {
  const { config } = options;
  const random = createRandom(deriveSeed(config.seed, 'epoch', epoch));
  const order = shuffle([...run.training], random);
  const batches = Math.ceil(order.length / config.batchDialogues);
  let sum = 0;
  for (let b = 0; b < batches; b++) {
    const dialogues = order.slice(b * config.batchDialogues, (b + 1) * config.batchDialogues);
    const shown = dialogues.map((dialogue) => drawMasks(run.model, dialogue, config.masks, random));
    const batch = toBatch(dialogues, shown);
    const rate = schedule(run.learner.state.step, config.warmUpSteps, config.epochs * batches);
    const loss = batch.size > 0 ? run.learner.learn(batch, { random, cut: randomCut(config, random), rate }) : 0;
    sum += loss;
    options.report({ type: 'batch', epoch, batch: b + 1, batches, loss });
    await new Promise((resolve) => setImmediate(resolve)); // lets signals and other work through
    if (options.isStopped()) return undefined;
  }
  return sum / batches;
}

/** Cuts each dialogue's future at random, so that every look-ahead from 0 to the whole future is an ordinary input. */
function randomCut(config: TrainConfig, random: Random): FutureCut {
  return (length) => {
    if (random() < config.wholeFuture) return [length];
    const pieces: number[] = [];
    for (let left = length; left > 0; left -= pieces[pieces.length - 1] as number)
      pieces.push(Math.min(left, 1 + Math.floor(random() * (config.shape.lookAhead + 1))));
    return pieces;
  };
}

function score(run: Run, cut: FutureCut): Metrics {
  const outcomes = inferAll(run.learner, run.model, run.dev, cut).map(({ logits, ...rest }) => ({
    ...rest,
    probabilities: softmax(logits, 1),
  }));
  return computeMetrics(outcomes, run.model.labels.length);
}

/** Logits of every labelled utterance of the dialogues, a few dialogues at a time. */
export function inferAll(
  learner: Learner,
  model: ModelConfig,
  dialogues: readonly PreparedDialogue[],
  cut: FutureCut,
  show: (dialogue: PreparedDialogue) => Shown = (dialogue) => showAll(model, dialogue),
): (Omit<Outcome, 'probabilities'> & { readonly logits: Float32Array })[] {
  const classes = model.labels.length;
  const outcomes: (Omit<Outcome, 'probabilities'> & { logits: Float32Array })[] = [];
  for (let at = 0; at < dialogues.length; at += 16) {
    const some = dialogues.slice(at, at + 16);
    const batch = toBatch(some, some.map(show));
    if (batch.size === 0) continue;
    const logits = learner.infer(batch, cut);
    batch.utterances.forEach((u, i) => {
      if (u.label !== undefined)
        outcomes.push({
          dialogue: u.id.slice(0, u.id.lastIndexOf('/')),
          truth: u.label,
          logits: logits.slice(i * classes, (i + 1) * classes),
        });
    });
  }
  return outcomes;
}

/** Takes the best epoch's values, fits the temperature on dev and writes down where the weights come from. */
function finishWeights(options: TrainOptions, model: ModelConfig, end: Checkpoint, dev: PreparedDialogue[]): Weights {
  const { config } = options;
  const learner = createLearner(model, config, newLearnerState(model, end.best));
  try {
    const whole = inferAll(learner, model, dev, WHOLE_FUTURE);
    const now = inferAll(learner, model, dev, NO_FUTURE);
    const temperature = fitTemperature([...whole, ...now]);
    const metrics = (list: typeof whole): Metrics =>
      computeMetrics(
        list.map(({ logits, ...rest }) => ({ ...rest, probabilities: softmax(logits, temperature) })),
        model.labels.length,
      );
    const figures = {
      weightedF1Whole: metrics(whole).weightedF1,
      weightedF1Now: metrics(now).weightedF1,
      eceWhole: metrics(whole).ece,
    };
    return {
      config: { ...model, temperature },
      values: end.best,
      provenance: {
        name: config.name,
        trainedOn: config.trainedOn,
        licence: config.licence,
        seed: config.seed,
        dev: figures,
      },
    };
  } finally {
    learner.dispose();
  }
}
