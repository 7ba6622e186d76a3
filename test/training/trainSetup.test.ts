import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { classWeights } from '../../src/training/losses.ts';
import type { Source, Sources } from '../../src/training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { prepareTraining } from '../../src/training/trainSetup.ts';
import { createFolders, TINY_CONFIG, wordCorpus, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
let words: Dataset;
let more: Dataset;
beforeAll(async () => {
  words = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 6, dev: 3 })));
  more = await readDataset(await writeDataset(await newFolder(), { ...wordDataset({ train: 9 }, 5), name: 'more' }));
});

const sourcesOf = (): Map<string, Source> =>
  new Map<string, Source>([
    ['words', { kind: 'dataset', dataset: words }],
    ['more', { kind: 'dataset', dataset: more }],
    ['said', { kind: 'texts', corpus: wordCorpus('said', { train: 6, dev: 2 }) }],
  ]);
const configOf = (change: object = {}): TrainConfig =>
  parseTrainConfig({ ...TINY_CONFIG, sources: [{ data: 'words' }, { data: 'more', perEpoch: 7 }], ...change });
const stage = (mode: string, data: string): object => ({ name: 'early', mode, sources: [{ data }] });

describe('prepareTraining', () => {
  it('reads the dialogues of every source out of its splits, and dev out of the first.', () => {
    const { data, model } = prepareTraining({ config: configOf(), sources: sourcesOf() });
    expect(data.sources.map(({ dialogues, perEpoch }) => [dialogues.length, perEpoch])).toEqual([
      [6, undefined],
      [9, 7],
    ]);
    expect(data.dev.map(({ id }) => id)).toEqual(['dev0', 'dev1', 'dev2']);
    expect(model.labels).toEqual(['cross', 'glad']);
  });

  it('takes label shares from the first source, and gives the others the class weights of their own.', () => {
    const config = configOf({ classWeightPower: 0.5 });
    const { data, model } = prepareTraining({ config, sources: sourcesOf() });
    const [first, second] = data.sources.map(({ dialogues }) => dialogues.flatMap(({ utterances }) => utterances));
    expect(first!.every(({ weight }) => weight === undefined)).toBe(true);
    const glad = second!.filter(({ label }) => label === 1).length / second!.length;
    expect(glad).not.toBeCloseTo(model.prior[1]!, 2); // else the factors would all be 1
    const own = classWeights([1 - glad, glad], 0.5);
    const of = classWeights(model.prior, 0.5);
    for (const { label, weight } of second!) expect(weight! * of[label!]!).toBeCloseTo(own[label!]!, 6);
  });

  it('makes the examples of a stage in the order of its sources, each by the name that the configuration gives it.', () => {
    const uses = { name: 'early', mode: 'text', sources: [{ data: 'said' }, { data: 'more' }] };
    const config = configOf({ pretraining: [uses] });
    const corpora = prepareTraining({ config, sources: sourcesOf() }).corporaOf(config.pretraining[0]!);
    expect(corpora.map(({ name, train }) => [name, train.length])).toEqual([
      ['said', 6],
      ['more', 36],
    ]);
  });

  it.each<[string, object, RegExp]>([
    ['a voice', { pretraining: [stage('audio', 'said')] }, /"said" is a text corpus, .* the stage "early" \(audio\)/],
    [
      'an input without words',
      {
        inputs: [{ name: 'prosody', modality: 'audio', kind: 'vector', tokens: 1 }],
        pretraining: [stage('audio', 'said')],
      },
      /"said" is a text corpus/,
    ],
  ])('refuses texts that could teach %s nothing.', (_, change, message) => {
    const sources: Sources = sourcesOf();
    expect(() => prepareTraining({ config: configOf(change), sources })).toThrow(
      expect.objectContaining({ code: 'BAD_DATASET', message: expect.stringMatching(message) as string }),
    );
  });
});
