import * as tf from '@tensorflow/tfjs-core';
import { MODALITIES } from '../domain/modality.ts';
import { type Mode, type ModelConfig, modeOf } from '../model/config.ts';
import { crossAttend } from '../model/crossAttention.ts';
import { encode, type ModeTokens } from '../model/encoders.ts';
import { dense, dropout, type TrainingMode } from '../model/layers.ts';
import { meanRows, readBack } from '../model/ops/rows.ts';
import type { Parameters, ParameterSpec } from '../model/parameters.ts';
import type { Random } from '../model/random.ts';
import { type DialogueBatch, toBatch, toTensors } from './batch.ts';
import type { Corpus, Example } from './corpus.ts';
import { focalLoss } from './losses.ts';
import type { EncoderStage } from './stageConfig.ts';
import { createTrainee, dropWords, EXTRA_PREFIX, type LearnerState } from './trainee.ts';

/** The encoder of one mode, learning from corpora with a head for each. */
export type EncoderLearner = {
  readonly state: LearnerState;
  /** One update on examples of one corpus; returns the loss. @throws UndertoneError INTERNAL when it is not finite */
  learn(
    corpus: Corpus,
    examples: readonly Example[],
    options: { readonly random: Random; readonly rate: number },
  ): Promise<number>;
  /** What a corpus's head says of examples, `[examples × target width]`: logits or values. */
  infer(corpus: Corpus, examples: readonly Example[]): Promise<Float32Array>;
  dispose(): void;
};

/** The heads of a stage: one linear layer for each corpus. */
export function headSpecs(model: ModelConfig, stage: EncoderStage, corpora: readonly Corpus[]): ParameterSpec[] {
  return corpora.flatMap(({ name, names }) => [
    { name: `${headOf(stage, name)}.w`, shape: [model.width, names.length], place: 'tensor', start: 'uniform' },
    { name: `${headOf(stage, name)}.b`, shape: [names.length], place: 'tensor', start: 'zeros' },
  ]);
}

/** What the names of a stage's heads begin with. */
export function headPrefix(stage: EncoderStage): string {
  return `${EXTRA_PREFIX}${stage.name}.`;
}

function headOf(stage: EncoderStage, corpus: string): string {
  return `${headPrefix(stage)}${corpus}`;
}

/** Makes a learner of one encoder over `state`, which must hold the network and the stage's heads. */
export function createEncoderLearner(
  model: ModelConfig,
  stage: EncoderStage,
  corpora: readonly Corpus[],
  state: LearnerState,
): EncoderLearner {
  const trainee = createTrainee(model, headSpecs(model, stage, corpora), state, stage);
  const weights = new Map(corpora.map((corpus) => [corpus.name, targetWeights(corpus, stage.classWeightPower)]));
  const forward = (
    examples: readonly Example[],
    corpus: Corpus,
    words: tf.Tensor2D | undefined,
    training?: TrainingMode,
  ): tf.Tensor2D =>
    predict(trainee.parameters, model, stage, { batch: toExampleBatch(stage, examples), words, corpus, training });
  return {
    state,
    learn: (corpus, examples, { random, rate }) => {
      const tokens = stage.mode === 'text' ? examples.flatMap(({ utterance }) => utterance.tokens) : [];
      return trainee.step(dropWords(tokens, stage.wordDropout, random), rate, (words) =>
        targetLoss(forward(examples, corpus, words, { dropout: stage.dropout, random }), examples, corpus, {
          weights: weights.get(corpus.name) as number[],
          smoothing: stage.labelSmoothing,
        }),
      );
    },
    infer: (corpus, examples) =>
      readBack(() => {
        const tokens = stage.mode === 'text' ? examples.flatMap(({ utterance }) => utterance.tokens) : [];
        const words = tokens.length > 0 ? tf.tensor2d(trainee.embed(tokens), [tokens.length, model.width]) : undefined;
        return forward(examples, corpus, words);
      }),
    dispose: () => trainee.dispose(),
  };
}

function toExampleBatch(stage: EncoderStage, examples: readonly Example[]): DialogueBatch {
  const shown = new Set(MODALITIES.filter((modality) => modeOf(modality) === stage.mode));
  return toBatch(
    examples.map(({ utterance }) => ({ id: utterance.id, utterances: [utterance] })),
    examples.map(() => [shown]),
  );
}

type Forward = {
  readonly batch: DialogueBatch;
  readonly words: tf.Tensor2D | undefined;
  readonly corpus: Corpus;
  readonly training?: TrainingMode | undefined;
};

function predict(p: Parameters, model: ModelConfig, stage: EncoderStage, given: Forward): tf.Tensor2D {
  const { batch, words, corpus, training } = given;
  const own = encode(p, model, toTensors(model, batch, words), training).get(stage.mode);
  const pooled = own
    ? meanRows(stage.crossLayers ? alone(p, model, stage.mode, own, training) : own.tokens, own.offsets)
    : tf.zeros<tf.Rank.R2>([batch.size, model.width]);
  return dense(p, headOf(stage, corpus.name), dropout(pooled, training));
}

/** The mode's layers of the cross-attended network, as they are when no other mode is there. */
function alone(p: Parameters, model: ModelConfig, mode: Mode, given: ModeTokens, training?: TrainingMode): tf.Tensor2D {
  const everywhere = new Float32Array(given.offsets.length - 1).fill(1);
  const context = { modes: new Map([[mode, given]]), keysValues: [], shareOf: () => everywhere, training };
  return crossAttend(p, model, { mode, given }, context);
}

/** Cross-entropy with shares of classes, or half the squared error of values; examples without tokens still count. */
function targetLoss(
  predicted: tf.Tensor2D,
  examples: readonly Example[],
  corpus: Corpus,
  { weights, smoothing }: { readonly weights: readonly number[]; readonly smoothing: number },
): tf.Scalar {
  const size = corpus.names.length;
  const targets = new Float32Array(examples.length * size);
  examples.forEach(({ target }, i) => targets.set(target, i * size));
  if (corpus.target === 'values')
    return tf.mul(tf.mean<tf.Scalar>(tf.square(tf.sub(predicted, tf.tensor2d(targets, [examples.length, size])))), 0.5);
  const rowWeights = examples.map(({ target }) =>
    target.reduce((sum, share, c) => sum + share * (weights[c] as number), 0),
  );
  const smooth = targets.map((share) => share * (1 - smoothing) + smoothing / size);
  const distribution = tf.tensor2d(smooth, [examples.length, size]);
  return focalLoss(predicted, { distribution, weights: tf.tensor1d(rowWeights) }, 0);
}

/** Class weights share^-power with mean 1 over the corpus; a class that never occurs gets 0. */
function targetWeights(corpus: Corpus, power: number): number[] {
  const sums = corpus.names.map((_, c) => corpus.train.reduce((sum, { target }) => sum + (target[c] as number), 0));
  const total = Math.max(1, corpus.train.length);
  const raw = sums.map((sum) => (sum > 0 ? (sum / total) ** -power : 0));
  const mean = raw.reduce((sum, weight, c) => sum + (weight * (sums[c] as number)) / total, 0);
  return raw.map((weight) => (mean > 0 ? weight / mean : 0));
}
