import * as tf from '@tensorflow/tfjs-core';
import type { PassOptions } from './fusion.ts';
import { bilstm, dense, dropout } from './layers.ts';
import type { Parameters } from './parameters.ts';

/** One dialogue of a batch: the rows of its utterances in order, and who spoke each. */
export type DialogueRows = { readonly rows: readonly number[]; readonly speakers: readonly string[] };

/** Where the future is cut: lengths of consecutive pieces of a dialogue; no utterance sees beyond its piece. */
export type FutureCut = (length: number) => readonly number[];

/** Every utterance sees the whole future. */
export const WHOLE_FUTURE: FutureCut = (length) => [length];
/** No utterance sees any future: look-ahead 0. */
export const NO_FUTURE: FutureCut = (length) => Array.from({ length }, () => 1);

/**
 * Runs both context streams over whole dialogues and classifies: `[rows, 3 · width]` → logits `[rows, labels]`.
 * e_i = [F(u_i); d_i; s_i], where d is the BiLSTM over all utterances and s the one over the speaker's own.
 * Source: METHOD.md section 5 (AMuSE, arXiv 2401.15164, section 3.4).
 */
export function classifyDialogues(
  p: Parameters,
  fused: tf.Tensor2D,
  dialogues: readonly DialogueRows[],
  cut: FutureCut,
  options: PassOptions = {},
): tf.Tensor2D {
  const streams = toSequences(dialogues, cut);
  const x = dropout(fused, options.training);
  const d = bilstm(p, 'dialogue', x, streams.dialogue, streams.dialogueBack);
  const s = bilstm(p, 'speaker', x, streams.speaker, streams.speakerBack);
  const off = (name: 'dialogue' | 'speaker', t: tf.Tensor2D): tf.Tensor2D =>
    options.without?.has(name) ? tf.zerosLike(t) : t;
  return classify(p, tf.concat2d([x, off('dialogue', d), off('speaker', s)], 1), options);
}

/** The classification head: `[rows, 3 · width + 4 · contextHidden]` → logits `[rows, labels]`. */
export function classify(p: Parameters, e: tf.Tensor2D, options: PassOptions = {}): tf.Tensor2D {
  return dense(p, 'head.out', dropout(dense(p, 'head.hidden', dropout(e, options.training), 'relu'), options.training));
}

type Streams = Record<'dialogue' | 'dialogueBack' | 'speaker' | 'speakerBack', number[][]>;

/** Reading orders of the four LSTMs. Pieces of the future bound the backward ones, of the speaker stream too. */
export function toSequences(dialogues: readonly DialogueRows[], cut: FutureCut): Streams {
  const streams: Streams = { dialogue: [], dialogueBack: [], speaker: [], speakerBack: [] };
  for (const { rows, speakers } of dialogues) {
    streams.dialogue.push([...rows]);
    streams.speaker.push(...bySpeaker(rows, speakers));
    let start = 0;
    for (const length of cut(rows.length)) {
      const piece = rows.slice(start, start + length);
      streams.dialogueBack.push(piece.slice().reverse());
      for (const own of bySpeaker(piece, speakers.slice(start, start + length)))
        streams.speakerBack.push(own.reverse());
      start += length;
    }
  }
  return streams;
}

function bySpeaker(rows: readonly number[], speakers: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const speaker = speakers[i] as string;
    const group = groups.get(speaker) ?? [];
    groups.set(speaker, group);
    group.push(row);
  });
  return [...groups.values()];
}
