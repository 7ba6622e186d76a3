import { beforeAll, describe, expect, it } from 'vitest';
import type { TextCorpus } from '../../src/training/corpora/textCorpus.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import {
  datasetOf,
  dialogueUses,
  neededSources,
  sourceOf,
  type Sources,
  useSplits,
  useTexts,
} from '../../src/training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { createFolders, EVERY_KIND, TINY_CONFIG, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
let dataset: Dataset;
beforeAll(async () => {
  dataset = await readDataset(await writeDataset(await newFolder(), EVERY_KIND));
});

const CORPUS: TextCorpus = {
  name: 'said',
  target: 'classes',
  names: ['calm', 'glad'],
  rows: ['train', 'dev', 'train'].map((split, i) => ({ text: `text ${i}`, split, target: [0, 1] })),
};
const sources = (): Sources =>
  new Map([
    ['said', { kind: 'texts', corpus: CORPUS }],
    ['calls', { kind: 'dataset', dataset }],
    ['more', { kind: 'dataset', dataset }],
  ]);
const configOf = (change: object): TrainConfig => parseTrainConfig({ ...TINY_CONFIG, ...change });

describe('neededSources', () => {
  it('names the sources of the dialogues, of every stage and of the pairing, each once.', () => {
    const config = configOf({
      pretraining: [
        { name: 'words', mode: 'text', sources: [{ data: 'said' }, { data: 'calls' }] },
        { name: 'sound', mode: 'audio', sources: [{ data: 'voices' }] },
      ],
      sources: [{ data: 'calls' }],
      pairing: { share: 0.5, face: 'faces', body: 'bodies:emotion' },
    });
    expect([...neededSources(config)!].sort()).toEqual(['bodies:emotion', 'calls', 'faces', 'said', 'voices']);
  });

  it('says nothing when the configuration takes whatever datasets are given.', () => {
    expect(neededSources(configOf({}))).toBeUndefined();
    expect([...neededSources(configOf({ sources: [{ data: 'calls' }] }))!]).toEqual(['calls']);
  });
});

describe('sourceOf and datasetOf', () => {
  it('give what a name stands for.', () => {
    expect(sourceOf(sources(), 'said')).toEqual({ kind: 'texts', corpus: CORPUS });
    expect(datasetOf(sources(), 'calls')).toBe(dataset);
  });

  it('name those that are there when one is not, and refuse texts where a dataset must be.', () => {
    const refused = (f: () => unknown, message: RegExp): void =>
      expect(f).toThrow(expect.objectContaining({ code: 'BAD_DATASET', message: expect.stringMatching(message) }));
    refused(() => sourceOf(sources(), 'calms'), /uses "calms", .* \(said, calls, more\)/);
    refused(() => sourceOf(new Map(), 'calls'), /\(none\)/);
    refused(() => datasetOf(sources(), 'said'), /"said" is a text corpus, not a dataset/);
    refused(() => datasetOf(sources(), 'calms'), /uses "calms"/);
  });
});

describe('dialogueUses', () => {
  it('gives the sources of the configuration as they are written.', () => {
    const uses = dialogueUses(configOf({ sources: [{ data: 'calls', splits: ['a'], perEpoch: 7 }] }), sources());
    expect(uses).toEqual([{ data: 'calls', splits: ['a'], dev: ['dev', 'validation'], perEpoch: 7 }]);
  });

  it('takes the split train of every dataset, and no text corpus, when the configuration names none.', () => {
    expect(dialogueUses(configOf({}), sources())).toEqual([
      { data: 'calls', splits: ['train'], dev: [] },
      { data: 'more', splits: ['train'], dev: [] },
    ]);
  });

  it('refuses to begin without a dataset.', () => {
    const texts: Sources = new Map([['said', { kind: 'texts', corpus: CORPUS }]]);
    for (const none of [texts, new Map()])
      expect(() => dialogueUses(configOf({}), none)).toThrow(expect.objectContaining({ code: 'BAD_DATASET' }));
  });
});

describe('useSplits and useTexts', () => {
  it('pick what lies in the splits, in order.', () => {
    const idsOf = (splits: string[]): string[] => useSplits(dataset, splits).dialogues.map(({ id }) => id);
    expect([idsOf(['train']), idsOf(['dev', 'train'])]).toEqual([['a'], ['a', 'b']]);
    expect(useSplits(dataset, ['dev']).dataset).toBe(dataset);
    expect(useTexts(CORPUS, ['train'])).toEqual(['text 0', 'text 2']);
    expect(useTexts(CORPUS, ['dev', 'train'])).toEqual(['text 0', 'text 1', 'text 2']);
  });

  it('refuse a split that is not there, even beside one that is: it may be misspelt.', () => {
    expect(() => useSplits(dataset, ['train', 'trian'])).toThrow(/dataset every-kind: it has no split "trian"/);
    expect(() => useTexts(CORPUS, ['train', 'trian'])).toThrow(/text corpus said: it has no split "trian"/);
  });
});
