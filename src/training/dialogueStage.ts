import { softmax } from '../model/conversation.ts';
import { MODES, type ModelConfig, modeOf, modesKey } from '../model/config.ts';
import { type FutureCut, NO_FUTURE, WHOLE_FUTURE } from '../model/dialogueContext.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../model/random.ts';
import { augmentUtterance } from './augment.ts';
import { toBatch } from './batch.ts';
import type { Checkpoint } from './checkpoint.ts';
import { createNegativeBank } from './guidedNce.ts';
import { createLearner, type Learner } from './learner.ts';
import { type BatchEvent, learnBatches } from './learnBatches.ts';
import { drawMasks, showAll, type Shown } from './masks.ts';
import { computeMetrics, type Metrics, type Outcome } from './metrics.ts';
import { type Donors, lendModalities } from './pairing.ts';
import type { PreparedDialogue } from './prepare.ts';
import type { TrainConfig } from './trainConfig.ts';
import { newLearnerState } from './trainee.ts';

/** Weighted F1 on dev without any future (look-ahead 0) and with the whole future. */
export type EpochScores = { readonly now: number; readonly whole: number };

/** The dialogues that one source gives to the stage; an epoch draws dialogues until it has `perEpoch` utterances. */
export type DialogueSource = {
  readonly dialogues: readonly PreparedDialogue[];
  readonly perEpoch?: number | undefined;
};

/** What the stage trains and selects on. */
export type DialogueData = {
  readonly model: ModelConfig;
  readonly sources: readonly DialogueSource[];
  readonly dev: readonly PreparedDialogue[];
  readonly donors: readonly Donors[];
};

/** What the stage reports. */
export type DialogueEvent =
  | BatchEvent
  | {
      readonly type: 'epoch';
      readonly stage: 'dialogues';
      readonly epoch: number;
      readonly loss: number;
      readonly dev: EpochScores;
      readonly isBest: boolean;
      /** Which member of a mean it is an epoch of, from 1. */
      readonly member?: number;
    };

/** How the stage is run. */
export type DialogueRun = {
  readonly config: TrainConfig;
  readonly isStopped: () => boolean;
  readonly report: (event: DialogueEvent) => void;
  /** Called after each epoch, before the next one. */
  readonly keep: (checkpoint: Checkpoint) => Promise<void>;
};

/**
 * Trains the whole network on dialogues from a checkpoint, selecting on dev by weighted F1, the mean of look-ahead 0 and the
 * whole future. Returns where it ended, or `undefined` when it was stopped.
 */
export async function runDialogueStage(
  data: DialogueData,
  start: Checkpoint,
  run: DialogueRun,
): Promise<Checkpoint | undefined> {
  const { config } = run;
  const learner = createLearner(data.model, config, start.state);
  try {
    let at = start;
    while (at.epoch < config.epochs && at.epoch - at.bestEpoch < config.patience) {
      const epoch = at.epoch + 1;
      const loss = await runEpoch(data, learner, epoch, run);
      if (loss === undefined) return undefined;
      const values = config.averaging > 0 ? learner.state.averages : learner.state.values;
      const dev = await scoreValues(data, config, values);
      const mean = (dev.now + dev.whole) / 2;
      const isBest = mean > at.bestScore;
      const best = isBest ? new Map([...values].map(([name, numbers]) => [name, numbers.slice()])) : at.best;
      at = { ...at, state: learner.state, epoch, best, ...(isBest ? { bestEpoch: epoch, bestScore: mean } : {}) };
      await run.keep(at);
      const member = at.members && { member: at.members.done + 1 };
      run.report({ type: 'epoch', stage: 'dialogues', epoch, loss, dev, isBest, ...member });
    }
    return at;
  } finally {
    learner.dispose();
  }
}

async function runEpoch(
  data: DialogueData,
  learner: Learner,
  epoch: number,
  run: DialogueRun,
): Promise<number | undefined> {
  const { config } = run;
  const random = createRandom(deriveSeed(config.seed, 'epoch', epoch));
  const order = shuffle(
    data.sources.flatMap((source) => drawDialogues(source, random)),
    random,
  );
  const batches = splitBatches(order, config.batchDialogues);
  const bank = createNegativeBank(data.model.width, config.losses.bank);
  const learn = async (drawn: readonly PreparedDialogue[], rate: number): Promise<number> => {
    const dialogues = drawn.map((dialogue) => vary(data, dialogue, config, random));
    const shown = dialogues.map((dialogue) => drawMasks(data.model, dialogue, config.masks, random));
    const batch = toBatch(dialogues, shown);
    return batch.size > 0 ? learner.learn(batch, { random, cut: randomCut(config, random), rate, bank }) : 0;
  };
  const { epochs, warmUpSteps } = config;
  return learnBatches(batches, learn, { ...run, stage: 'dialogues', epoch, epochs, warmUpSteps, state: learner.state });
}

function drawDialogues({ dialogues, perEpoch }: DialogueSource, random: Random): PreparedDialogue[] {
  if (perEpoch === undefined) return [...dialogues];
  let left = perEpoch;
  return shuffle([...dialogues], random).filter(({ utterances }) => (left -= utterances.length) > -utterances.length);
}

/** A batch has `size` dialogues; ten of a single utterance count as one, so that corpora of clips do not make tiny batches. */
function splitBatches(dialogues: readonly PreparedDialogue[], size: number): PreparedDialogue[][] {
  const batches: PreparedDialogue[][] = [];
  let room = 0;
  for (const dialogue of dialogues) {
    if (room <= 1e-9) {
      batches.push([]);
      room = size;
    }
    batches.at(-1)?.push(dialogue);
    room -= dialogue.utterances.length === 1 ? 0.1 : 1;
  }
  return batches;
}

function vary(data: DialogueData, dialogue: PreparedDialogue, config: TrainConfig, random: Random): PreparedDialogue {
  const { share, agreement, rest } = config.pairing;
  const isLent = data.donors.length > 0 && dialogue.utterances.length > 1 && random() < share;
  const lent = isLent ? lendModalities(data.model, dialogue, data.donors, { random, agreement, rest }) : dialogue;
  return {
    id: lent.id,
    utterances: lent.utterances.map((u) => augmentUtterance(data.model, u, config.augment, random)),
  };
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

async function scoreValues(
  data: DialogueData,
  config: TrainConfig,
  values: ReadonlyMap<string, Float32Array>,
): Promise<EpochScores> {
  const learner = createLearner(data.model, config, newLearnerState(values));
  try {
    const score = async (cut: FutureCut): Promise<number> =>
      toMetrics(await inferAll(learner, data.model, data.dev, cut), () => 1, data.model.labels.length).weightedF1;
    return { now: await score(NO_FUTURE), whole: await score(WHOLE_FUTURE) };
  } finally {
    learner.dispose();
  }
}

/** One labelled utterance that was classified: its logits, and which modes it was heard with ({@link modesKey}). */
export type Inferred = Omit<Outcome, 'probabilities'> & { readonly logits: Float32Array; readonly modes: string };

/** Metrics of inferred utterances at a temperature for each combination of modes. */
export function toMetrics(
  inferred: readonly Inferred[],
  temperatureOf: (modes: string) => number,
  classes: number,
): Metrics {
  return computeMetrics(
    inferred.map(({ logits, modes, ...rest }) => ({ ...rest, probabilities: softmax(logits, temperatureOf(modes)) })),
    classes,
  );
}

/** Logits of every labelled utterance of the dialogues that is shown something, a few dialogues at a time. */
export async function inferAll(
  learner: Learner,
  model: ModelConfig,
  dialogues: readonly PreparedDialogue[],
  cut: FutureCut,
  show: (dialogue: PreparedDialogue) => Shown = (dialogue) => showAll(model, dialogue),
): Promise<Inferred[]> {
  const classes = model.labels.length;
  const inferred: Inferred[] = [];
  for (let at = 0; at < dialogues.length; at += 16) {
    const some = dialogues.slice(at, at + 16);
    const batch = toBatch(some, some.map(show));
    if (batch.size === 0) continue;
    const logits = await learner.infer(batch, cut);
    batch.utterances.forEach((u, i) => {
      if (u.label === undefined) return;
      inferred.push({
        dialogue: u.id.slice(0, u.id.lastIndexOf('/')),
        truth: u.label,
        logits: logits.slice(i * classes, (i + 1) * classes),
        modes: modesKey([...(batch.shown[i] ?? [])].map(modeOf)),
      });
    });
  }
  return inferred;
}

/** Every combination of modes that an utterance may be heard with, as keys. */
export const MODE_SUBSETS: readonly string[] = Array.from({ length: 2 ** MODES.length - 1 }, (_, i) =>
  modesKey(MODES.filter((__, m) => (i + 1) & (1 << m))),
);
