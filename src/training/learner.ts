import * as tf from '@tensorflow/tfjs-core';
import { UndertoneError } from '../errors.ts';
import { type ModelConfig, MODES } from '../model/config.ts';
import { classifyDialogues, type FutureCut } from '../model/dialogueContext.ts';
import { fuse, type PassOptions } from '../model/fusion.ts';
import { rotate } from '../model/jointEmbedding.ts';
import { dense } from '../model/layers.ts';
import { hostOf } from '../model/ops/rows.ts';
import { type Parameters, parameterSpecs, readers } from '../model/parameters.ts';
import type { Random } from '../model/random.ts';
import { embeddingGradient, embedTokens } from '../model/textEmbedding.ts';
import type { Token } from '../model/tokenizer.ts';
import { adamUpdate, adamUpdateRows, clipGradients, type Moments, newMoments } from './adam.ts';
import { type DialogueBatch, toTensors } from './batch.ts';
import { classWeights, focalLoss, toTargets } from './losses.ts';
import type { TrainConfig } from './trainConfig.ts';

/** The numbers that training changes: parameter values and their moments, by name, and the count of steps. */
export type LearnerState = {
  readonly values: Map<string, Float32Array>;
  readonly moments: Map<string, Moments>;
  step: number;
};

/** A network that learns. */
export type Learner = {
  readonly state: LearnerState;
  /** One update; returns the loss. @throws UndertoneError INTERNAL when the loss is not finite */
  learn(
    batch: DialogueBatch,
    options: { readonly random: Random; readonly cut: FutureCut; readonly rate: number },
  ): number;
  /** Logits of a batch without training, `[size × labels]`. */
  infer(batch: DialogueBatch, cut: FutureCut, without?: PassOptions['without']): Float32Array;
  dispose(): void;
};

/** Moments at the start of training. */
export function newLearnerState(model: ModelConfig, values: ReadonlyMap<string, Float32Array>): LearnerState {
  const moments = new Map(
    parameterSpecs(model).map(({ name, shape }) => [name, newMoments(shape.reduce((a, b) => a * b, 1))]),
  );
  return { values: new Map(values), moments, step: 0 };
}

/** Makes a learner over `state`, which it changes in place. A backend must have been started and `installGradients` awaited. */
export function createLearner(model: ModelConfig, config: TrainConfig, state: LearnerState): Learner {
  const variables = new Map<string, tf.Variable>();
  for (const { name, shape, place } of parameterSpecs(model))
    if (place === 'tensor')
      variables.set(name, toVariable(tf.tensor(state.values.get(name) as Float32Array, [...shape])));
  const read = readers(variables, state.values);
  const parameters: Parameters = {
    ...read,
    isFrozen: false,
    recurrent: () => undefined,
    rotate: (mode, x, direction) => rotate(x, read.tensor(`joint.${mode}`), direction),
  };
  const weights = classWeights(model.prior, config.classWeightPower);
  const textInput = model.inputs.find((input) => input.kind === 'tokens')?.name;
  const embed = (tokens: readonly Token[]): Float32Array =>
    embedTokens(
      { word: parameters.host(`${textInput}.word`), ngram: parameters.host(`${textInput}.ngram`), width: model.width },
      tokens,
    );

  return {
    state,
    learn: (batch, { random, cut, rate }) => {
      const tokens = batch.tokens.map((token) => (random() < config.wordDropout ? { word: 0, grams: [] } : token));
      const words =
        tokens.length > 0 ? toVariable(tf.tensor2d(embed(tokens), [tokens.length, model.width])) : undefined;
      const options: PassOptions = { training: { dropout: config.dropout, random } };
      const trained = [...variables.values(), ...(words ? [words] : [])];
      const { value, grads } = tf.variableGrads(
        () =>
          batchLoss(parameters, model, {
            batch,
            words: words,
            cut,
            options,
            weights,
            config,
          }),
        trained,
      );
      const loss = hostOf(value)[0] as number;
      const gradients = new Map(
        [...variables].flatMap(([name, v]) =>
          grads[v.name] ? [[name, hostOf(grads[v.name] as tf.Tensor)] as const] : [],
        ),
      );
      const dWords = words && grads[words.name] ? hostOf(grads[words.name] as tf.Tensor) : undefined;
      tf.dispose([value, grads, ...(words ? [words] : [])]);
      if (!Number.isFinite(loss))
        throw new UndertoneError('INTERNAL', `training: the loss of step ${state.step + 1} is not a number`);
      update({ tokens, dWords, gradients, rate });
      return loss;
    },
    infer: (batch, cut, without) =>
      tf.tidy(() => {
        const words =
          batch.tokens.length > 0 ? tf.tensor2d(embed(batch.tokens), [batch.tokens.length, model.width]) : undefined;
        const options: PassOptions = without ? { without } : {};
        const { fused } = fuse(parameters, model, toTensors(model, batch, words), options);
        return hostOf(classifyDialogues(parameters, fused, batch.dialogues, cut, options));
      }),
    dispose: () => variables.forEach((v) => v.dispose()),
  };

  type Update = {
    tokens: readonly Token[];
    dWords: Float32Array | undefined;
    gradients: Map<string, Float32Array>;
    rate: number;
  };

  function update({ tokens, dWords, gradients, rate }: Update): void {
    const rows = { word: new Map<number, Float32Array>(), ngram: new Map<number, Float32Array>() };
    if (dWords) embeddingGradient(model.width, tokens, dWords, rows);
    clipGradients([...gradients.values(), ...rows.word.values(), ...rows.ngram.values()], config.clipNorm);
    const step = ++state.step;
    const moments = (name: string): Moments => state.moments.get(name) as Moments;
    for (const [name, gradient] of gradients) {
      const values = state.values.get(name) as Float32Array;
      const weightDecay =
        name.endsWith('.w') || /\.(q|kv|o|x|forward|backward)$/.test(name)
          ? config.weightDecay / config.learningRate
          : 0;
      adamUpdate(values, gradient, moments(name), { step, learningRate: config.learningRate * rate, weightDecay });
      const variable = variables.get(name) as tf.Variable;
      const next = tf.tensor(values.slice(), variable.shape);
      variable.assign(next);
      next.dispose();
    }
    for (const table of ['word', 'ngram'] as const) {
      if (rows[table].size === 0) continue;
      const name = `${textInput}.${table}`;
      const settings = { step, learningRate: config.embeddingLearningRate * rate, weightDecay: 0 };
      adamUpdateRows(state.values.get(name) as Float32Array, rows[table], moments(name), settings);
    }
  }
}

/** The variable that takes a tensor's place: tfjs counts both, and the tensor would never go (a leak for every batch). */
function toVariable<R extends tf.Rank>(start: tf.Tensor<R>): tf.Variable<R> {
  const variable = tf.variable(start);
  start.dispose();
  return variable;
}

type Pass = {
  readonly batch: DialogueBatch;
  readonly words: tf.Tensor2D | undefined;
  readonly cut: FutureCut;
  readonly options: PassOptions;
  readonly weights: readonly number[];
  readonly config: TrainConfig;
};

/** Mean of the focal losses of the fused head and of one auxiliary head per mode that is there (METHOD.md section 6). */
function batchLoss(p: Parameters, model: ModelConfig, pass: Pass): tf.Scalar {
  const { batch, config, weights } = pass;
  const labels = batch.utterances.map((utterance) => utterance.label);
  const fusion = fuse(p, model, toTensors(model, batch, pass.words), pass.options);
  const logits = classifyDialogues(p, fusion.fused, batch.dialogues, pass.cut, pass.options);
  const losses = [focalLoss(logits, toTargets(labels, weights, config.labelSmoothing), config.focalGamma)];
  for (const mode of MODES) {
    const share = fusion.shares.get(mode) as Float32Array;
    if (!share.some((s) => s > 0)) continue;
    const auxiliary = dense(p, `aux.${mode}`, fusion.descriptors.get(mode) as tf.Tensor2D);
    const targets = toTargets(labels, weights, config.labelSmoothing, (row) => (share[row] as number) > 0);
    losses.push(focalLoss(auxiliary, targets, config.focalGamma));
  }
  return tf.div<tf.Scalar>(tf.addN(losses), losses.length);
}
