import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import type { Modality } from '../../src/domain/modality.ts';
import { DEFAULT_SHAPE, type ModelConfig } from '../../src/model/config.ts';
import { toBatch, toTensors } from '../../src/training/batch.ts';
import type { PreparedDialogue, PreparedUtterance } from '../../src/training/prepare.ts';

beforeAll(() => startTensorBackend('cpu'));

const MODEL: ModelConfig = {
  ...DEFAULT_SHAPE,
  labels: ['a', 'b'],
  prior: [0.5, 0.5],
  vocabulary: [],
  inputs: [
    { name: 'text', modality: 'text', kind: 'tokens', dim: 0, tokens: 8, speakerRelative: false },
    { name: 'prosody', modality: 'audio', kind: 'vector', dim: 1, tokens: 1, speakerRelative: true },
    { name: 'frames', modality: 'face', kind: 'sequence', dim: 1, tokens: 4, speakerRelative: false },
  ],
};
const utterance = (id: string, words: number[], rows: Record<string, number[]>): PreparedUtterance => ({
  id,
  speaker: id.endsWith('1') ? 'Ben' : 'Ada',
  label: 0,
  tokens: words.map((word) => ({ word, grams: [] })),
  rows: new Map(Object.entries(rows).map(([name, values]) => [name, Float32Array.from(values)])),
});
const A: PreparedDialogue = {
  id: 'a',
  utterances: [
    utterance('a/0', [1, 2], { prosody: [10, 11], frames: [1, 2, 3] }),
    utterance('a/1', [3], { prosody: [20, 21] }),
    utterance('a/2', [], { frames: [4] }),
  ],
};
const B: PreparedDialogue = { id: 'b', utterances: [utterance('b/0', [4, 5, 6], { prosody: [30, 31] })] };
const show = (...sets: Modality[][]): Set<Modality>[] => sets.map((set) => new Set(set));
const ALL: Modality[] = ['text', 'audio', 'face', 'body'];

describe('toBatch', () => {
  it('packs utterances, words and shares in order, and remembers who spoke in which dialogue.', () => {
    const batch = toBatch([A, B], [show(ALL, ['text'], ['face']), show(['text', 'audio'])]);
    expect(batch.size).toBe(4);
    expect(batch.utterances.map(({ id }) => id)).toEqual(['a/0', 'a/1', 'a/2', 'b/0']);
    expect(batch.dialogues).toEqual([
      { rows: [0, 1, 2], speakers: ['Ada', 'Ben', 'Ada'] },
      { rows: [3], speakers: ['Ada'] },
    ]);
    expect([...batch.shares]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0]);
    expect(batch.tokens.map(({ word }) => word)).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...batch.tokenOffsets]).toEqual([0, 2, 3, 3, 6]);
  });

  it('leaves out utterances that show nothing; the others close up.', () => {
    const batch = toBatch([A, B], [show(['face'], [], ['face']), show(['audio'])]);
    expect(batch.utterances.map(({ id }) => id)).toEqual(['a/0', 'a/2', 'b/0']);
    expect(batch.dialogues.map(({ rows }) => rows)).toEqual([[0, 1], [2]]);
    expect(batch.dialogues[0]!.speakers).toEqual(['Ada', 'Ada']);
  });

  it('hides words with the text, and is empty when nothing is shown.', () => {
    const batch = toBatch([A], [show(['audio'], ['text'], ['face'])]);
    expect(batch.tokens.map(({ word }) => word)).toEqual([3]);
    expect([...batch.tokenOffsets]).toEqual([0, 0, 1, 1]);
    expect(toBatch([A], [show([], [], [])])).toMatchObject({ size: 0, utterances: [], tokens: [] });
  });
});

describe('toTensors', () => {
  const words = (count: number): tf.Tensor2D => tf.zeros([count, MODEL.width]);

  it('packs the rows of the modalities shown, and gives the others no rows.', () => {
    const batch = toBatch([A, B], [show(ALL, ['text'], ['face']), show(['text', 'audio'])]);
    const before = tf.memory().numTensors;
    const { size, inputs, shares } = tf.tidy(() => {
      const tensors = toTensors(MODEL, batch, words(6));
      return {
        ...tensors,
        inputs: [...tensors.inputs].map(([name, { rows, offsets }]) => [name, rows.arraySync(), [...offsets]] as const),
      };
    });
    expect([size, shares]).toEqual([4, batch.shares]);
    expect(inputs.map(([name]) => name)).toEqual(['text', 'prosody', 'frames']);
    expect(inputs[0]![2]).toEqual([0, 2, 3, 3, 6]);
    expect(inputs[1]!.slice(1)).toEqual([
      [
        [10, 11],
        [30, 31],
      ],
      [0, 1, 1, 1, 2],
    ]);
    expect(inputs[2]!.slice(1)).toEqual([
      [[1], [2], [3], [4]],
      [0, 3, 3, 4, 4],
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves out an input that no utterance shows.', () => {
    const batch = toBatch([A, B], [show(['text'], ['text'], []), show(['text'])]);
    const names = tf.tidy(() => [...toTensors(MODEL, batch, words(6)).inputs.keys()]);
    expect(names).toEqual(['text']);
    const silent = toBatch([A], [show(['audio'], [], [])]);
    expect(tf.tidy(() => [...toTensors(MODEL, silent, undefined).inputs.keys()])).toEqual(['prosody']);
  });
});
