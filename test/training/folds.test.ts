import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { planFolds, withFold } from '../../src/training/folds.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { createFolders, TINY_CONFIG, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
let words: Dataset;
beforeAll(async () => {
  words = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 1 })));
});
const dataset = (...splits: string[]): Dataset => ({
  ...words,
  dialogues: splits.map((split, i) => ({ id: `d${i}`, split, utterances: [] })),
});

describe('planFolds', () => {
  it('holds each fold out once, selects on the next and trains on the others, in the order of their numbers.', () => {
    expect(planFolds(dataset('fold10', 'fold2', 'fold0', 'fold2', 'test'))).toEqual([
      { held: 'fold0', dev: 'fold2', train: ['fold10'] },
      { held: 'fold2', dev: 'fold10', train: ['fold0'] },
      { held: 'fold10', dev: 'fold0', train: ['fold2'] },
    ]);
  });

  it('never lets a fold be two things at once, for any number of folds.', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), (count) => {
        const folds = Array.from({ length: count }, (_, i) => `fold${i}`);
        const plans = planFolds(dataset(...folds));
        expect(plans.map(({ held }) => held)).toEqual(folds);
        for (const { held, dev, train } of plans) expect([held, dev, ...train].sort()).toEqual([...folds].sort());
      }),
    );
  });

  it('refuses fewer than three folds, and takes no other split for one.', () => {
    for (const splits of [[], ['fold0', 'fold1'], ['fold0', 'fold1', 'fold-walk', 'folder2', 'fold']])
      expect(() => planFolds(dataset(...splits))).toThrow(
        expect.objectContaining({ code: 'BAD_DATASET', message: expect.stringMatching(/it has [02]$/) }),
      );
  });
});

describe('withFold', () => {
  const plan = { held: 'fold0', dev: 'fold1', train: ['fold2', 'fold3'] };

  it('puts the splits of the turn wherever the dataset is used, in stages too, and leaves other sources alone.', () => {
    const config = parseTrainConfig({
      ...TINY_CONFIG,
      sources: [{ data: 'words', perEpoch: 5 }, { data: 'other' }],
      pretraining: [{ name: 'early', mode: 'text', sources: [{ data: 'words' }, { data: 'said' }] }],
    });
    const folded = withFold(config, 'words', plan);
    const [own, other] = [{ splits: ['fold2', 'fold3'], dev: ['fold1'] }, { splits: ['train'] }];
    expect(folded.sources).toMatchObject([
      { data: 'words', perEpoch: 5, ...own },
      { data: 'other', ...other },
    ]);
    expect(folded.pretraining[0]?.sources).toMatchObject([
      { data: 'words', ...own },
      { data: 'said', ...other },
    ]);
    expect(JSON.stringify(folded)).not.toContain('fold0');
    expect(config.sources[0]?.splits).toEqual(['train']);
  });

  it('names the dataset where the configuration took whatever was given.', () => {
    expect(withFold(parseTrainConfig(TINY_CONFIG), 'words', plan).sources).toEqual([
      { data: 'words', splits: ['fold2', 'fold3'], dev: ['fold1'] },
    ]);
  });
});
