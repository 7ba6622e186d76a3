import * as tf from '@tensorflow/tfjs-core';
import type { ConversationModel, ModelInput } from '../domain/conversationModel.ts';
import { MODALITIES, type PerModality, perModality } from '../domain/modality.ts';
import type { Prediction, Utterance, UtteranceEvidence } from '../domain/utterance.ts';
import { UndertoneError } from '../errors.ts';
import { type InputSpec, MODES, type ModelConfig, rowWidth } from './config.ts';
import { decodeMemory, encodeMemory } from './contextBlob.ts';
import type { InputBatch } from './encoders.ts';
import { fingerprintOf } from './fingerprint.ts';
import { fuse } from './fusion.ts';
import { createIncrementalContext, type IncrementalContext } from './incrementalContext.ts';
import { toModalityWeights } from './modalityWeights.ts';
import { hostOf } from './ops/rows.ts';
import { freezeParameters, type Parameters, parameterSpecs } from './parameters.ts';
import { createSpeakerMemory, type SpeakerMemory } from './speakerMemory.ts';
import { embedTokens } from './textEmbedding.ts';
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
  const { config } = weights;
  const parameters = freezeParameters(config, weights.values);
  const tokenize = createTokenizer(config.vocabulary, config.buckets);
  const fingerprint = fingerprintOf(parameterSpecs(config).map(({ name }) => weights.values.get(name) as Float32Array));
  return {
    config,
    open: (saved) => openConversation({ config, parameters, tokenize, fingerprint }, saved),
    dispose: () => parameters.dispose(),
  };
}

type Network = {
  config: ModelConfig;
  parameters: Parameters;
  tokenize: (text: string) => Token[];
  fingerprint: number;
};

/** What one utterance was fused to. */
type Fused = { readonly vector: Float32Array | undefined; readonly weights: PerModality<number> };

const NOTHING: Fused = { vector: undefined, weights: perModality(() => 0) };

function openConversation(network: Network, saved?: Uint8Array): SavableConversation {
  const { config, parameters } = network;
  const restored = saved && decodeMemory(saved, network);
  const context = createIncrementalContext(parameters, config, restored?.memory);
  const speakers = createSpeakerMemory(
    (input) => ({ mean: parameters.host(`${input.name}.mean`), scale: parameters.host(`${input.name}.scale`) }),
    restored?.speakers,
  );
  const weights = new Map<string, PerModality<number>>(restored?.weights);
  const retire = (): void => {
    const id = context.memory.window[0]?.id ?? '';
    weights.delete(id);
    speakers.forget(id);
    context.retire();
  };
  return {
    labels: config.labels,
    lookAhead: config.lookAhead,
    inputs: new Set(config.inputs.map((input) => input.name as ModelInput)),
    add: (utterance, evidence) => {
      const fused = fuseOne(network, speakers, utterance, evidence);
      weights.set(utterance.id, fused.weights);
      context.push(utterance.id, utterance.speaker.id, fused.vector);
      const predictions = predict(config, context, weights);
      while (context.memory.window.length > config.lookAhead) retire();
      return predictions;
    },
    revise: (utterance, evidence) => {
      if (!context.memory.window.some((item) => item.id === utterance.id)) return [];
      const fused = fuseOne(network, speakers, utterance, evidence);
      context.replace(utterance.id, utterance.speaker.id, fused.vector);
      weights.set(utterance.id, fused.weights);
      return predict(config, context, weights);
    },
    finish: () => {
      const predictions = predict(config, context, weights).map((p) => ({ ...p, isFinal: true }));
      while (context.memory.window.length > 0) retire();
      return predictions;
    },
    save: () => encodeMemory({ memory: context.memory, weights, speakers: speakers.save() }, network),
  };
}

/** Predictions for every utterance of the window, oldest first. */
function predict(
  config: ModelConfig,
  context: IncrementalContext,
  weights: ReadonlyMap<string, PerModality<number>>,
): Prediction[] {
  const { window } = context.memory;
  return context.classify().map((logits, i) => {
    const id = window[i]?.id ?? '';
    if (logits && !logits.every(Number.isFinite))
      throw new UndertoneError('INTERNAL', 'the network gave a number that is not finite; the weights are not usable');
    const lookAhead = window.length - 1 - i;
    return {
      utteranceId: id,
      lookAhead,
      isFinal: lookAhead >= config.lookAhead,
      probabilities: logits ? softmax(logits, config.temperature) : [...config.prior],
      weights: weights.get(id) ?? NOTHING.weights,
    };
  });
}

/** softmax(logits / temperature), in double precision. */
export function softmax(logits: ArrayLike<number>, temperature: number): number[] {
  const scaled = Array.from(logits, (z) => z / temperature);
  const max = Math.max(...scaled);
  const powers = scaled.map((z) => Math.exp(z - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((e) => e / sum);
}

function fuseOne(network: Network, speakers: SpeakerMemory, utterance: Utterance, evidence: UtteranceEvidence): Fused {
  const { config, parameters } = network;
  checkEvidence(config, evidence);
  return tf.tidy(() => {
    const inputs = new Map<string, InputBatch>();
    for (const input of config.inputs) {
      if (evidence.availability[input.modality].share <= 0) continue;
      const rows =
        input.kind === 'tokens' ? wordRows(network, input, evidence) : signalRows(speakers, input, utterance, evidence);
      if (rows) inputs.set(input.name, { rows, offsets: Int32Array.from([0, rows.shape[0]]) });
    }
    if (inputs.size === 0) return NOTHING;
    const heard = new Set(config.inputs.flatMap((input) => (inputs.has(input.name) ? [input.modality] : [])));
    const shares = Float32Array.from(MODALITIES, (m) => (heard.has(m) ? evidence.availability[m].share : 0));
    const fusion = fuse(parameters, config, { size: 1, inputs, shares });
    const modeShares = new Map(MODES.map((mode) => [mode, fusion.shares.get(mode)?.[0] ?? 0]));
    return { vector: hostOf(fusion.fused), weights: toModalityWeights(hostOf(fusion.gates), modeShares, shares) };
  });
}

function wordRows(network: Network, input: InputSpec, evidence: UtteranceEvidence): tf.Tensor2D | undefined {
  const tokens = evidence.text === undefined ? [] : network.tokenize(evidence.text);
  if (tokens.length === 0) return undefined;
  const { parameters, config } = network;
  const tables = {
    word: parameters.host(`${input.name}.word`),
    ngram: parameters.host(`${input.name}.ngram`),
    width: config.width,
  };
  return tf.tensor2d(embedTokens(tables, tokens), [tokens.length, config.width]);
}

function signalRows(
  speakers: SpeakerMemory,
  input: InputSpec,
  utterance: Utterance,
  evidence: UtteranceEvidence,
): tf.Tensor2D | undefined {
  const values = signalOf(input, evidence);
  if (!values || values.length === 0) return undefined;
  const rows = speakers.normalise(utterance.id, utterance.speaker.id, input, values);
  return tf.tensor2d(rows, [values.length / input.dim, rowWidth(input)]);
}

function signalOf(input: InputSpec, evidence: UtteranceEvidence): Float32Array | undefined {
  return input.name === 'prosody' ? evidence.prosody : input.name === 'segments' ? evidence.segments : undefined;
}

/** Before anything is counted, so that a refused utterance leaves no trace. @throws RangeError */
function checkEvidence(config: ModelConfig, evidence: UtteranceEvidence): void {
  for (const modality of MODALITIES) {
    const { share } = evidence.availability[modality];
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share of ${modality} must be from 0 to 1, got ${share}`);
  }
  for (const input of config.inputs) {
    const values = input.kind === 'tokens' ? undefined : signalOf(input, evidence);
    if (values && (values.length % input.dim !== 0 || !values.every(Number.isFinite)))
      throw new RangeError(`${input.name} must hold finite rows of ${input.dim} numbers, got ${values.length} values`);
  }
}
