import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/model/config.ts';
import type { TextCorpus } from '../../src/training/corpora/textCorpus.ts';
import { fromDataset, fromTexts } from '../../src/training/corpus.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { featureNames, globalStatistics, prepareDialogues, toModelConfig } from '../../src/training/prepare.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { createFolders, EVERY_KIND, TINY_CONFIG, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const CONFIG = parseTrainConfig({ ...TINY_CONFIG, minWordCount: 1 });
let dataset: Dataset;
let model: ModelConfig;
beforeAll(async () => {
  dataset = await readDataset(await writeDataset(await newFolder(), EVERY_KIND));
  model = toModelConfig(CONFIG, [{ dataset, dialogues: dataset.dialogues }], ['good day', 'good night']);
});

const TEXTS: TextCorpus = {
  name: 'said',
  target: 'classes',
  names: ['calm', 'glad', 'odd'],
  rows: [
    { text: 'Good day!', split: 'train', target: [0, 0.5, 0.5] },
    { text: 'night', split: 'dev', target: [1, 0, 0] },
    { text: '   ', split: 'train', target: [1, 0, 0] },
    { text: 'unheard of', split: 'extra', target: [0, 0, 1] },
    { text: 'night night', split: 'validation', target: [0, 1, 0] },
    { text: 'day', split: 'test', target: [0, 1, 0] },
  ],
};

describe('fromTexts', () => {
  it('makes an example of every row of the splits, with its words and target, and nothing but text.', () => {
    const corpus = fromTexts(model, TEXTS, { data: 'said', splits: ['train', 'extra'], dev: ['dev', 'validation'] });
    expect(corpus).toMatchObject({ name: 'said', target: 'classes', names: ['calm', 'glad', 'odd'] });
    expect(corpus.train.map(({ utterance, target }) => [utterance.id, [...target]])).toEqual([
      ['said/0', [0, 0.5, 0.5]],
      ['said/3', [0, 0, 1]],
    ]);
    expect(corpus.dev.map(({ utterance }) => utterance.id)).toEqual(['said/1', 'said/4']);
    const { utterance } = corpus.train[0]!;
    expect(utterance).toMatchObject({ label: undefined, speaker: '' });
    expect(utterance.rows.size).toBe(0);
    expect(utterance.tokens.map(({ word }) => model.vocabulary[word - 1])).toEqual(['good', 'day', undefined]);
  });

  it('leaves out rows without words, and never uses a split that was not named.', () => {
    const corpus = fromTexts(model, TEXTS, { data: 'other', splits: ['train'], dev: ['nowhere'] });
    expect(corpus.train.map(({ utterance }) => utterance.id)).toEqual(['said/0']);
    expect(corpus.dev).toEqual([]);
    expect(corpus.name).toBe('other'); // what the configuration calls it
  });
});

describe('fromDataset', () => {
  it('makes an example of every labelled utterance, one-hot in its labels, prepared as for the dialogues.', () => {
    const names = featureNames(CONFIG);
    const statistics = globalStatistics(model, [{ dataset, dialogues: dataset.dialogues }], names);
    const use = { data: 'every-kind:glad', splits: ['train'], dev: ['dev'] };
    const corpus = fromDataset(model, { dataset }, use, names, statistics);
    expect(corpus).toMatchObject({ name: 'every-kind:glad', target: 'classes', names: ['calm', 'glad'] });
    expect(corpus.train.map(({ utterance, target }) => [utterance.id, [...target]])).toEqual([['a/0', [0, 1]]]);
    expect(corpus.dev.map(({ utterance, target }) => [utterance.id, [...target]])).toEqual([
      ['b/0', [1, 0]],
      ['b/1', [0, 1]],
    ]);
    const prepared = prepareDialogues(model, dataset, dataset.dialogues, statistics, names);
    expect(corpus.dev.map(({ utterance }) => utterance)).toEqual(prepared[1]!.utterances);
  });
});
