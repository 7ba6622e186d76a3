import * as tf from '@tensorflow/tfjs-core';
import { MODALITIES } from '../domain/modality.ts';
import { type ModelConfig, rowWidth } from '../model/config.ts';
import type { DialogueRows } from '../model/dialogueContext.ts';
import type { InputBatch, UtteranceBatch } from '../model/encoders.ts';
import { toOffsets } from '../model/ops/ragged.ts';
import type { Token } from '../model/tokenizer.ts';
import type { Shown } from './masks.ts';
import type { PreparedDialogue, PreparedUtterance } from './prepare.ts';

/** Several dialogues for one pass; utterances that show no modality are left out of it. */
export type DialogueBatch = {
  readonly size: number;
  readonly utterances: readonly PreparedUtterance[];
  readonly dialogues: readonly DialogueRows[];
  readonly shares: Float32Array;
  /** Words of every utterance shown with text, packed, and how many each utterance has. */
  readonly tokens: readonly Token[];
  readonly tokenOffsets: Int32Array;
  readonly shown: Shown;
};

/** Collects dialogues into a batch, showing only the given modalities. */
export function toBatch(dialogues: readonly PreparedDialogue[], shownOf: readonly Shown[]): DialogueBatch {
  const utterances: PreparedUtterance[] = [];
  const shown: ReadonlySet<(typeof MODALITIES)[number]>[] = [];
  const rows: DialogueRows[] = dialogues.map((dialogue, d) => {
    const heard = dialogue.utterances.flatMap((_, i) => (shownOf[d]?.[i]?.size ? [i] : []));
    const first = utterances.length;
    for (const i of heard) {
      utterances.push(dialogue.utterances[i] as PreparedUtterance);
      shown.push(shownOf[d]?.[i] as Shown[number]);
    }
    return {
      rows: heard.map((_, k) => first + k),
      speakers: heard.map((i) => (dialogue.utterances[i] as PreparedUtterance).speaker),
    };
  });
  const words = utterances.map((utterance, i) => (shown[i]?.has('text') ? utterance.tokens : []));
  return {
    size: utterances.length,
    utterances,
    dialogues: rows,
    shares: Float32Array.from({ length: 4 * utterances.length }, (_, k) =>
      shown[k >> 2]?.has(MODALITIES[k & 3] as 'text') ? 1 : 0,
    ),
    tokens: words.flat(),
    tokenOffsets: toOffsets(words.map((list) => list.length)),
    shown,
  };
}

/** Makes the tensors of a batch. @param words embedded words, `[tokens, width]` */
export function toTensors(model: ModelConfig, batch: DialogueBatch, words: tf.Tensor2D | undefined): UtteranceBatch {
  const inputs = new Map<string, InputBatch>();
  for (const input of model.inputs) {
    if (input.kind === 'tokens') {
      if (words) inputs.set(input.name, { rows: words, offsets: batch.tokenOffsets });
      continue;
    }
    const width = rowWidth(input);
    const parts = batch.utterances.map((u, i) =>
      batch.shown[i]?.has(input.modality) ? u.rows.get(input.name) : undefined,
    );
    const offsets = toOffsets(parts.map((part) => (part?.length ?? 0) / width));
    const total = offsets[batch.size] as number;
    if (total === 0) continue;
    const packed = new Float32Array(total * width);
    parts.forEach((part, i) => part && packed.set(part, (offsets[i] as number) * width));
    inputs.set(input.name, { rows: tf.tensor2d(packed, [total, width]), offsets });
  }
  return { size: batch.size, inputs, shares: batch.shares };
}
