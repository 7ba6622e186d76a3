import type { ConversationModel, ModelInput } from '../domain/conversationModel.ts';
import type { Prediction } from '../domain/utterance.ts';
import { UndertoneError } from '../errors.ts';
import { type Mode, type ModelConfig, modesKey } from './config.ts';
import { decodeMemory, encodeMemory } from './contextBlob.ts';
import type { HeardAs } from './contextHeader.ts';
import { fingerprintOf } from './fingerprint.ts';
import { fuseUtterance, type Network, NOTHING, statisticsOf } from './fuseUtterance.ts';
import type { Ablation } from './fusion.ts';
import { createIncrementalContext, type IncrementalContext } from './incrementalContext.ts';
import { freezeParameters, parameterSpecs } from './parameters.ts';
import { createSpeakerMemory } from './speakerMemory.ts';
import { createTokenizer, type Token } from './tokenizer.ts';
import type { Weights } from './weights.ts';

/** A network ready to serve any number of conversations. */
export type EmotionModel = {
  readonly config: ModelConfig;
  /** Opens a conversation, empty or from a state saved by {@link SavableConversation.save}. @throws UndertoneError BAD_STATE */
  open(saved?: Uint8Array): SavableConversation;
  dispose(): void;
};

/** A conversation whose state can be kept and resumed bit-exactly. */
export type SavableConversation = ConversationModel & {
  /** A versioned binary blob; under 64 KiB for four speakers. */
  save(): Uint8Array;
};

/** Makes a network from weights. A backend must have been started. @throws UndertoneError BAD_WEIGHTS */
export function createEmotionModel(weights: Weights): EmotionModel {
  return createVariant(weights, {});
}

/** How a network is changed to measure what its parts do. Parts switched off; text read other than by the tokenizer. */
export type Variant = {
  readonly without?: ReadonlySet<Ablation>;
  readonly tokenize?: (text: string) => Token[];
};

/** Makes a network that is changed for an evaluation. @throws UndertoneError BAD_WEIGHTS */
export function createVariant(weights: Weights, variant: Variant): EmotionModel {
  const { config } = weights;
  const parameters = freezeParameters(config, weights.values);
  const tokenize = variant.tokenize ?? createTokenizer(config.vocabulary, config.buckets);
  const without = variant.without ?? new Set<Ablation>();
  const fingerprint = fingerprintOf(parameterSpecs(config).map(({ name }) => weights.values.get(name) as Float32Array));
  return {
    config,
    open: (saved) => openConversation({ config, parameters, tokenize, fingerprint, without }, saved),
    dispose: () => parameters.dispose(),
  };
}

function openConversation(network: Network, saved?: Uint8Array): SavableConversation {
  const { config, parameters, without } = network;
  const restored = saved && decodeMemory(saved, network);
  const context = createIncrementalContext(parameters, config, { memory: restored?.memory, without });
  const speakers = createSpeakerMemory((input) => statisticsOf(parameters, input), restored?.speakers);
  const heard = new Map<string, HeardAs>(restored?.heard);
  const retire = (): void => {
    const id = context.memory.window[0]?.id ?? '';
    heard.delete(id);
    speakers.forget(id);
    context.retire();
  };
  return {
    labels: config.labels,
    lookAhead: config.lookAhead,
    inputs: new Set<ModelInput>(config.inputs.map((input) => input.name)),
    add: (utterance, evidence) => {
      const fused = fuseUtterance(network, speakers, { utterance, evidence });
      heard.set(utterance.id, { weights: fused.weights, modes: fused.modes });
      context.push(utterance.id, utterance.speaker.id, fused.vector);
      const predictions = predict(config, context, heard);
      while (context.memory.window.length > config.lookAhead) retire();
      return predictions;
    },
    revise: (utterance, evidence) => {
      if (!context.memory.window.some((item) => item.id === utterance.id)) return [];
      const fused = fuseUtterance(network, speakers, { utterance, evidence });
      context.replace(utterance.id, utterance.speaker.id, fused.vector);
      heard.set(utterance.id, { weights: fused.weights, modes: fused.modes });
      return predict(config, context, heard);
    },
    finish: () => {
      const predictions = predict(config, context, heard).map((p) => ({ ...p, isFinal: true }));
      while (context.memory.window.length > 0) retire();
      return predictions;
    },
    save: () => encodeMemory({ memory: context.memory, heard, speakers: speakers.save() }, network),
  };
}

/** Predictions for every utterance of the window, oldest first. */
function predict(config: ModelConfig, context: IncrementalContext, heard: ReadonlyMap<string, HeardAs>): Prediction[] {
  const { window } = context.memory;
  return context.classify().map((logits, i) => {
    const id = window[i]?.id ?? '';
    if (logits && !logits.every(Number.isFinite))
      throw new UndertoneError('INTERNAL', 'the network gave a number that is not finite; the weights are not usable');
    const lookAhead = window.length - 1 - i;
    const { weights, modes } = heard.get(id) ?? NOTHING;
    return {
      utteranceId: id,
      lookAhead,
      isFinal: lookAhead >= config.lookAhead,
      probabilities: logits ? softmax(logits, temperatureFor(config, modes)) : [...config.prior],
      weights,
    };
  });
}

/** The temperature for an utterance heard with these modes: its own entry, else the one for all. */
export function temperatureFor(config: ModelConfig, modes: readonly Mode[]): number {
  const key = modesKey(modes);
  const { temperature, temperatures = {} } = config;
  return Object.hasOwn(temperatures, key) ? (temperatures[key] ?? temperature) : temperature;
}

/** softmax(logits / temperature), in double precision. */
export function softmax(logits: ArrayLike<number>, temperature: number): number[] {
  const scaled = Array.from(logits, (z) => z / temperature);
  const max = Math.max(...scaled);
  const powers = scaled.map((z) => Math.exp(z - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((e) => e / sum);
}
