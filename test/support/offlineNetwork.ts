import * as tf from '@tensorflow/tfjs-core';
import { MODALITIES } from '../../src/domain/modality.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { classifyDialogues, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { signalOf } from '../../src/model/evidence.ts';
import { fuse, type PassOptions } from '../../src/model/fusion.ts';
import { newStatistics, normaliseRows, withUtterance } from '../../src/model/normalisation.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { embedTokens } from '../../src/model/textEmbedding.ts';
import { createTokenizer } from '../../src/model/tokenizer.ts';
import type { Spoken } from './tinyConversation.ts';
import { toBatch, type TinyUtterance } from './tinyModel.ts';

/** Logits of a dialogue in one pass over all of it, by hand from words and signals; every utterance must be heard. */
export function offlineLogits(
  p: Parameters,
  config: ModelConfig,
  dialogue: readonly Spoken[],
  options: PassOptions = {},
): number[][] {
  const utterances = readDialogue(p, config, dialogue);
  const logits = tf.tidy(() => {
    const { fused } = fuse(p, config, toBatch(utterances, config), options);
    const whole = { rows: dialogue.map((_, i) => i), speakers: dialogue.map(({ utterance }) => utterance.speaker.id) };
    return hostOf(classifyDialogues(p, fused, [whole], WHOLE_FUTURE, options));
  });
  const n = config.labels.length;
  return dialogue.map((_, i) => [...logits.slice(n * i, n * (i + 1))]);
}

function readDialogue(p: Parameters, config: ModelConfig, dialogue: readonly Spoken[]): TinyUtterance[] {
  const tokenize = createTokenizer(config.vocabulary, config.buckets);
  const statistics = new Map<string, Float64Array>();
  return dialogue.map(({ utterance, evidence }) => {
    const rows = new Map<string, number[][]>();
    const put = (name: string, values: Float32Array, width: number): void =>
      void rows.set(
        name,
        Array.from({ length: values.length / width }, (_, r) => [...values.slice(r * width, (r + 1) * width)]),
      );
    for (const input of config.inputs) {
      if (evidence.availability[input.modality].share === 0) continue;
      if (input.kind === 'tokens' && evidence.text !== undefined) {
        const tables = { word: p.host('text.word'), ngram: p.host('text.ngram'), width: config.width };
        put(input.name, embedTokens(tables, tokenize(evidence.text)), config.width);
      }
      const values = input.kind === 'tokens' ? undefined : signalOf(input, evidence);
      if (!values) continue;
      const key = `${utterance.speaker.id} ${input.name}`;
      const known = statistics.get(key) ?? newStatistics(input.dim);
      const global = { mean: p.host(`${input.name}.mean`), scale: p.host(`${input.name}.scale`) };
      const normalised = normaliseRows(input, values, global, known);
      statistics.set(key, withUtterance(input, normalised, known));
      put(input.name, normalised, input.speakerRelative ? 2 * input.dim : input.dim);
    }
    const share = Object.fromEntries(MODALITIES.map((m) => [m, evidence.availability[m].share]));
    const heard = (m: (typeof MODALITIES)[number]): number =>
      config.inputs.some((input) => input.modality === m && rows.has(input.name)) ? (share[m] ?? 0) : 0;
    return { rows, shares: { text: heard('text'), audio: heard('audio'), face: heard('face'), body: heard('body') } };
  });
}
