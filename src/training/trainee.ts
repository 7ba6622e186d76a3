import * as tf from '@tensorflow/tfjs-core';
import { UndertoneError } from '../errors.ts';
import type { ModelConfig } from '../model/config.ts';
import { rotate } from '../model/jointEmbedding.ts';
import { type Parameters, type ParameterSpec, parameterSpecs, readers } from '../model/parameters.ts';
import type { Random } from '../model/random.ts';
import { embeddingGradient, embedTokens } from '../model/textEmbedding.ts';
import type { Token } from '../model/tokenizer.ts';
import type { LearningSettings } from './stageConfig.ts';
import { adamUpdate, adamUpdateRows, clipGradients, type Moments, newMoments } from './adam.ts';

/** The numbers that training changes: parameter values and their moments, by name, and the count of steps. */
export type LearnerState = {
  readonly values: Map<string, Float32Array>;
  readonly moments: Map<string, Moments>;
  /** Running averages of the values, when the configuration asks for them. */
  readonly averages: Map<string, Float32Array>;
  step: number;
};

/** How a step changes the numbers. */
export type Optimiser = Pick<
  LearningSettings,
  'learningRate' | 'embeddingLearningRate' | 'weightDecay' | 'clipNorm'
> & {
  /** Of the context and the classifier, which no pre-training has taught anything; without it, `learningRate`. */
  readonly contextLearningRate?: number | undefined;
};

/** Parameters that learn: of the network, and `extras` that only training needs. */
export type Trainee = {
  readonly parameters: Parameters;
  /** Embeds words with the present tables, `[words × width]`. */
  embed(tokens: readonly Token[]): Float32Array;
  /**
   * One update by the gradient of `lossOf`; returns the loss. Words are given to it embedded, `[words, width]`.
   * @param rate factor of the learning rates
   * @throws UndertoneError INTERNAL when the loss is not finite; nothing is changed then
   */
  step(tokens: readonly Token[], rate: number, lossOf: (words: tf.Tensor2D | undefined) => tf.Scalar): Promise<number>;
  dispose(): void;
};

/** Parameters that only training needs have names with this prefix; weights files never hold them. */
export const EXTRA_PREFIX = 'training.';

/** A state at the start of a stage: the given values, no moments, no steps. */
export function newLearnerState(values: ReadonlyMap<string, Float32Array>): LearnerState {
  return { values: new Map(values), moments: new Map(), averages: new Map(), step: 0 };
}

/** Makes parameters that learn over `state`, which is changed in place. `installGradients` must have been awaited. */
export function createTrainee(
  model: ModelConfig,
  extras: readonly ParameterSpec[],
  state: LearnerState,
  optimiser: Optimiser,
): Trainee {
  const variables = new Map<string, tf.Variable>();
  for (const { name, shape, place } of [...parameterSpecs(model), ...extras])
    if (place === 'tensor')
      variables.set(name, toVariable(tf.tensor(state.values.get(name) as Float32Array, [...shape])));
  const read = readers(variables, state.values);
  const parameters: Parameters = {
    ...read,
    isFrozen: false,
    recurrent: () => undefined,
    rotate: (mode, x, direction) => rotate(x, read.tensor(`joint.${mode}`), direction),
  };
  const textInput = model.inputs.find((input) => input.kind === 'tokens')?.name;
  const embed = (tokens: readonly Token[]): Float32Array =>
    embedTokens(
      { word: parameters.host(`${textInput}.word`), ngram: parameters.host(`${textInput}.ngram`), width: model.width },
      tokens,
    );
  return {
    parameters,
    embed,
    step: async (tokens, rate, lossOf) => {
      const words =
        tokens.length > 0 ? toVariable(tf.tensor2d(embed(tokens), [tokens.length, model.width])) : undefined;
      const { value, grads } = tf.variableGrads(
        () => lossOf(words),
        [...variables.values(), ...(words ? [words] : [])],
      );
      const read = (v: tf.Variable | undefined): Promise<Float32Array | undefined> =>
        Promise.resolve(v && grads[v.name]?.data<'float32'>());
      const names = [...variables.keys()];
      const [loss, dWords, ...own] = await Promise.all([
        value.data<'float32'>().then((values) => values[0] as number),
        read(words),
        ...names.map((name) => read(variables.get(name))),
      ]);
      const gradients = new Map(names.flatMap((name, i) => (own[i] === undefined ? [] : [[name, own[i]] as const])));
      tf.dispose([value, grads, ...(words ? [words] : [])]);
      if (!Number.isFinite(loss))
        throw new UndertoneError('INTERNAL', `training: the loss of step ${state.step + 1} is not a number`);
      update(gradients, dWords && { tokens, dWords }, rate);
      return loss;
    },
    dispose: () => variables.forEach((v) => v.dispose()),
  };

  type WordGradient = { readonly tokens: readonly Token[]; readonly dWords: Float32Array };

  function update(gradients: Map<string, Float32Array>, words: WordGradient | undefined, rate: number): void {
    const rows = { word: new Map<number, Float32Array>(), ngram: new Map<number, Float32Array>() };
    if (words) embeddingGradient(model.width, words.tokens, words.dWords, rows);
    clipGradients([...gradients.values(), ...rows.word.values(), ...rows.ngram.values()], optimiser.clipNorm);
    const step = ++state.step;
    for (const [name, gradient] of gradients) {
      const values = state.values.get(name) as Float32Array;
      const own = (isContext(name) ? optimiser.contextLearningRate : undefined) ?? optimiser.learningRate;
      const weightDecay = isDecayed(name) ? optimiser.weightDecay / own : 0;
      adamUpdate(values, gradient, momentsOf(state, name), { step, learningRate: own * rate, weightDecay });
      const variable = variables.get(name) as tf.Variable;
      const next = tf.tensor(values.slice(), variable.shape);
      variable.assign(next);
      next.dispose();
    }
    for (const table of ['word', 'ngram'] as const) {
      if (rows[table].size === 0) continue;
      const name = `${textInput}.${table}`;
      const settings = { step, learningRate: optimiser.embeddingLearningRate * rate, weightDecay: 0 };
      adamUpdateRows(state.values.get(name) as Float32Array, rows[table], momentsOf(state, name), settings);
    }
  }
}

/** Moves the running averages towards the values; a name's average begins as its value. `decay` in [0, 1). */
export function averageValues(state: LearnerState, decay: number): void {
  // Early on the average follows more quickly, so that it does not remember the start.
  const keep = Math.min(decay, (1 + state.step) / (10 + state.step));
  for (const [name, values] of state.values) {
    const average = state.averages.get(name);
    if (!average) {
      state.averages.set(name, values.slice());
      continue;
    }
    for (let i = 0; i < values.length; i++)
      average[i] = keep * (average[i] as number) + (1 - keep) * (values[i] as number);
  }
}

/** Random words are made unknown, without n-grams: the network must not hang on single words. */
export function dropWords(tokens: readonly Token[], share: number, random: Random): Token[] {
  return tokens.map((token) => (random() < share ? { word: 0, grams: [] } : token));
}

/** Whether a parameter belongs to what follows the fusion: both context streams and the classifier. */
function isContext(name: string): boolean {
  return /^(dialogue|speaker|head)\./.test(name);
}

function isDecayed(name: string): boolean {
  return name.endsWith('.w') || /\.(q|kv|o|x|forward|backward)$/.test(name);
}

function momentsOf(state: LearnerState, name: string): Moments {
  const known = state.moments.get(name) ?? newMoments((state.values.get(name) as Float32Array).length);
  state.moments.set(name, known);
  return known;
}

/** The variable that takes a tensor's place: tfjs counts both, and the tensor would never go (a leak for every batch). */
function toVariable<R extends tf.Rank>(start: tf.Tensor<R>): tf.Variable<R> {
  const variable = tf.variable(start);
  start.dispose();
  return variable;
}
