import * as tf from '@tensorflow/tfjs-core';
import { type ModelConfig, MODES } from '../model/config.ts';
import { classifyDialogues, type FutureCut } from '../model/dialogueContext.ts';
import { fuse, type Fusion, type PassOptions } from '../model/fusion.ts';
import { dense } from '../model/layers.ts';
import { readBack } from '../model/ops/rows.ts';
import type { Parameters, ParameterSpec } from '../model/parameters.ts';
import type { Random } from '../model/random.ts';
import { type DialogueBatch, toTensors } from './batch.ts';
import { guidedNce, type NegativeBank, type View } from './guidedNce.ts';
import { jointDivergence, substitutionLoss } from './jointLosses.ts';
import { classWeights, focalLoss, toTargets } from './losses.ts';
import type { TrainConfig } from './trainConfig.ts';
import { averageValues, createTrainee, dropWords, EXTRA_PREFIX, type LearnerState } from './trainee.ts';

/** A network that learns from dialogues. */
export type Learner = {
  readonly state: LearnerState;
  /** One update; returns the loss. @throws UndertoneError INTERNAL when the loss is not finite */
  learn(batch: DialogueBatch, options: LearnOptions): Promise<number>;
  /** Logits of a batch without training, `[size × labels]`. */
  infer(batch: DialogueBatch, cut: FutureCut, without?: PassOptions['without']): Promise<Float32Array>;
  dispose(): void;
};

/** What changes from batch to batch. `rate` is a factor of the learning rates; without a bank there are fewer negatives. */
export type LearnOptions = {
  readonly random: Random;
  readonly cut: FutureCut;
  readonly rate: number;
  readonly bank?: NegativeBank | undefined;
};

const TEMPERATURE = `${EXTRA_PREFIX}divergence`;

/** Parameters of the dialogue stage that are not part of the network: the temperature of the joint divergence. */
export const DIALOGUE_EXTRAS: readonly ParameterSpec[] = [
  { name: TEMPERATURE, shape: [1], place: 'tensor', start: 'ones' },
];

/** Makes a learner over `state`, which it changes in place. A backend must have been started and `installGradients` awaited. */
export function createLearner(model: ModelConfig, config: TrainConfig, state: LearnerState): Learner {
  const trainee = createTrainee(model, DIALOGUE_EXTRAS, state, config);
  const weights = classWeights(model.prior, config.classWeightPower);
  return {
    state,
    learn: async (batch, { random, cut, rate, bank }) => {
      const options = { training: { dropout: config.dropout, random }, ...withoutOf(config) };
      const tokens = dropWords(batch.tokens, config.wordDropout, random);
      const loss = await trainee.step(tokens, rate, (words) =>
        batchLoss(trainee.parameters, model, { batch, words, cut, options, weights, config, bank }),
      );
      await bank?.settle();
      if (config.averaging > 0) averageValues(state, config.averaging);
      return loss;
    },
    infer: (batch, cut, without) =>
      readBack(() => {
        const words =
          batch.tokens.length > 0
            ? tf.tensor2d(trainee.embed(batch.tokens), [batch.tokens.length, model.width])
            : undefined;
        const options: PassOptions = without ? { without } : withoutOf(config);
        const { fused } = fuse(trainee.parameters, model, toTensors(model, batch, words), options);
        return classifyDialogues(trainee.parameters, fused, batch.dialogues, cut, options);
      }),
    dispose: () => trainee.dispose(),
  };
}

function withoutOf(config: TrainConfig): PassOptions {
  return config.without.length > 0 ? { without: new Set(config.without.filter((part) => part !== 'guided-nce')) } : {};
}

type Pass = {
  readonly batch: DialogueBatch;
  readonly words: tf.Tensor2D | undefined;
  readonly cut: FutureCut;
  readonly options: PassOptions;
  readonly weights: readonly number[];
  readonly config: TrainConfig;
  readonly bank: NegativeBank | undefined;
};

/**
 * L = mean of the focal losses of the fused head and of one auxiliary head per mode that is there + contrastive · L_GNCE
 * + divergence · L_joint + substitution · L_sub. Source: METHOD.md section 6.
 */
function batchLoss(p: Parameters, model: ModelConfig, pass: Pass): tf.Scalar {
  const { batch, config } = pass;
  const views = new Map<string, View>();
  const options = isOn(config, 'guided-nce', config.losses.contrastive)
    ? { ...pass.options, streams: views }
    : pass.options;
  const fusion = fuse(p, model, toTensors(model, batch, pass.words), options);
  const terms = [classificationLoss(p, fusion, pass)];
  if (isOn(config, 'guided-nce', config.losses.contrastive) && pass.bank)
    terms.push(tf.mul(contrastiveLoss(fusion, views, pass, pass.bank), config.losses.contrastive));
  if (isOn(config, 'joint-embedding', config.losses.divergence))
    terms.push(tf.mul(jointDivergence(p, fusion, p.vector(TEMPERATURE)), config.losses.divergence));
  if (isOn(config, 'joint-embedding', config.losses.substitution))
    terms.push(tf.mul(substitutionLoss(p, model, fusion), config.losses.substitution));
  return tf.addN(terms);
}

function isOn(config: TrainConfig, part: TrainConfig['without'][number], weight: number): boolean {
  return weight > 0 && !config.without.includes(part);
}

function classificationLoss(p: Parameters, fusion: Fusion, pass: Pass): tf.Scalar {
  const { batch, config, weights } = pass;
  const labels = batch.utterances.map((utterance) => utterance.label);
  const factorOf = (row: number): number => batch.utterances[row]?.weight ?? 1;
  const logits = classifyDialogues(p, fusion.fused, batch.dialogues, pass.cut, pass.options);
  const losses = [focalLoss(logits, toTargets(labels, weights, config.labelSmoothing, factorOf), config.focalGamma)];
  for (const mode of MODES) {
    const share = fusion.shares.get(mode) as Float32Array;
    if (!share.some((s) => s > 0)) continue;
    const auxiliary = dense(p, `aux.${mode}`, fusion.descriptors.get(mode) as tf.Tensor2D);
    const targets = toTargets(labels, weights, config.labelSmoothing, (row) =>
      (share[row] as number) > 0 ? factorOf(row) : 0,
    );
    losses.push(focalLoss(auxiliary, targets, config.focalGamma));
  }
  return tf.div<tf.Scalar>(tf.addN(losses), losses.length);
}

/** Every ordered pair of modes, and face with body, so that body tokens learn what the face shows. */
const NCE_PAIRS: readonly (readonly [string, string])[] = [
  ...MODES.flatMap((m) => MODES.filter((n) => n !== m).map((n) => [m, n] as const)),
  ['face', 'body'],
  ['body', 'face'],
];

function contrastiveLoss(
  fusion: Fusion,
  streams: ReadonlyMap<string, View>,
  { batch, config }: Pass,
  bank: NegativeBank,
): tf.Scalar {
  const views = new Map<string, View>([...streams].filter(([name]) => name === 'face' || name === 'body'));
  for (const [mode, rows] of fusion.descriptors) {
    const share = fusion.shares.get(mode) as Float32Array;
    views.set(mode, { rows, isPresent: (row) => (share[row] ?? 0) > 0 });
  }
  const labels = batch.utterances.map((utterance) => utterance.label);
  return guidedNce(views, labels, NCE_PAIRS, { bank, temperature: config.losses.contrastiveTemperature });
}
