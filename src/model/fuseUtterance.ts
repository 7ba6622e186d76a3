import * as tf from '@tensorflow/tfjs-core';
import { MODALITIES, perModality } from '../domain/modality.ts';
import type { Utterance, UtteranceEvidence } from '../domain/utterance.ts';
import { type InputSpec, type ModelConfig, MODES, rowWidth } from './config.ts';
import type { HeardAs } from './contextHeader.ts';
import type { InputBatch } from './encoders.ts';
import { checkEvidence, signalOf } from './evidence.ts';
import { type Ablation, fuse } from './fusion.ts';
import { toModalityWeights } from './modalityWeights.ts';
import { newStatistics, normaliseRows } from './normalisation.ts';
import { hostOf } from './ops/rows.ts';
import type { Parameters } from './parameters.ts';
import type { SpeakerMemory } from './speakerMemory.ts';
import { embedTokens } from './textEmbedding.ts';
import type { Token } from './tokenizer.ts';

/** What serves every conversation: parameters, the reader of text, and the parts that are switched off. */
export type Network = {
  config: ModelConfig;
  parameters: Parameters;
  tokenize: (text: string) => Token[];
  fingerprint: number;
  without: ReadonlySet<Ablation>;
};

/** What one utterance was fused to, and from what. */
export type Fused = HeardAs & { readonly vector: Float32Array | undefined };

/** What an utterance without any modality is fused to. */
export const NOTHING: Fused = { vector: undefined, weights: perModality(() => 0), modes: [] };

type Said = { readonly utterance: Utterance; readonly evidence: UtteranceEvidence };

/** Encodes and fuses one utterance, and counts it among what is usual for its speaker. @throws RangeError bad evidence */
export function fuseUtterance(network: Network, speakers: SpeakerMemory, said: Said): Fused {
  const { evidence } = said;
  const { config, parameters } = network;
  checkEvidence(config, evidence);
  let fused: Fused = NOTHING;
  tf.tidy(() => {
    const inputs = new Map<string, InputBatch>();
    for (const input of config.inputs) {
      if (evidence.availability[input.modality].share <= 0) continue;
      const rows =
        input.kind === 'tokens' ? wordRows(network, input, evidence) : signalRows(network, speakers, input, said);
      if (rows) inputs.set(input.name, { rows, offsets: Int32Array.from([0, rows.shape[0]]) });
    }
    if (inputs.size === 0) return;
    const withRows = new Set(config.inputs.flatMap((input) => (inputs.has(input.name) ? [input.modality] : [])));
    const shares = Float32Array.from(MODALITIES, (m) => (withRows.has(m) ? evidence.availability[m].share : 0));
    const fusion = fuse(parameters, config, { size: 1, inputs, shares }, { without: network.without });
    const modeShares = new Map(MODES.map((mode) => [mode, fusion.shares.get(mode)?.[0] ?? 0]));
    fused = {
      vector: hostOf(fusion.fused),
      weights: toModalityWeights(hostOf(fusion.gates), modeShares, shares),
      modes: MODES.filter((mode) => (modeShares.get(mode) ?? 0) > 0),
    };
  });
  return fused;
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
  { parameters }: Network,
  speakers: SpeakerMemory,
  input: InputSpec,
  said: Said,
): tf.Tensor2D | undefined {
  const values = signalOf(input, said.evidence);
  if (!values || values.length === 0) return undefined;
  const { id, speaker } = said.utterance;
  const rows = input.speakerRelative
    ? speakers.normalise(id, speaker.id, input, values)
    : normaliseRows(input, values, statisticsOf(parameters, input), newStatistics(input.dim));
  return tf.tensor2d(rows, [values.length / input.dim, rowWidth(input)]);
}

/** Mean and reciprocal deviation of each column of an input, as stored with the weights. */
export function statisticsOf(
  parameters: Parameters,
  input: InputSpec,
): { readonly mean: Float32Array; readonly scale: Float32Array } {
  return { mean: parameters.host(`${input.name}.mean`), scale: parameters.host(`${input.name}.scale`) };
}
