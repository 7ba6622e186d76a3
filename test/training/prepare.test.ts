import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/model/config.ts';
import { createRandom } from '../../src/model/random.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import {
  featureNames,
  globalStatistics,
  type PreparedDialogue,
  prepareDialogues,
  toModelConfig,
  type UsedDataset,
} from '../../src/training/prepare.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import {
  createFolders,
  TINY_CONFIG,
  type TinyDataset,
  type TinyFeature,
  writeDataset,
} from '../support/tinyDataset.ts';

const newFolder = createFolders();
const random = createRandom(6);
const noise = (rows: number, dim: number): number[][] =>
  Array.from({ length: rows }, () => Array.from({ length: dim }, (_, k) => 100 * k + 10 * random()));

const FEATURES: Record<string, TinyFeature> = {
  prosody8: {
    modality: 'audio',
    kind: 'vector',
    dim: 2,
    rows: [1, 1, 0, 1, 1, 1].map((n) => (n ? noise(1, 2) : undefined)),
  },
  frames: { modality: 'face', kind: 'sequence', dim: 3, rows: [2, 0, 3, 1, 4, 2].map((n) => noise(n, 3)) },
};
const say = (
  id: string,
  speaker: string,
  label: string | null,
  text?: string,
): TinyDataset['dialogues'][0]['utterances'][0] => ({
  id,
  speaker,
  label,
  ...(text !== undefined && { text }),
});
const SET: TinyDataset = {
  name: 'prepared',
  labels: ['x', 'y', 'z'],
  features: FEATURES,
  dialogues: [
    {
      id: 'a',
      split: 'train',
      utterances: [say('0', 'Ada', 'x', 'Yes yes!'), say('1', 'Ben', 'y', 'No.'), say('2', 'Ada', null, 'Yes')],
    },
    { id: 'b', split: 'train', utterances: [say('0', 'Ada', 'x', 'no rare'), say('1', 'Ada', 'x')] },
    { id: 'c', split: 'dev', utterances: [say('0', 'Ada', 'z', 'only dev dev dev')] },
  ],
};
const CONFIG = parseTrainConfig({
  ...TINY_CONFIG,
  inputs: [
    { name: 'text', modality: 'text', kind: 'tokens', tokens: 8 },
    { name: 'prosody', modality: 'audio', kind: 'vector', feature: 'prosody8', tokens: 1, speakerRelative: true },
    { name: 'frames', modality: 'face', kind: 'sequence', tokens: 4 },
  ],
});

const read = async (): Promise<Dataset> => readDataset(await writeDataset(await newFolder(), SET));
const training = ({ dialogues }: Dataset): Dataset['dialogues'] => dialogues.filter(({ split }) => split === 'train');
const used = (dataset: Dataset): UsedDataset[] => [{ dataset, dialogues: training(dataset) }];
const modelOf = (dataset: Dataset, config: TrainConfig = CONFIG): ModelConfig => toModelConfig(config, used(dataset));

async function prepared(): Promise<PreparedDialogue[]> {
  const dataset = await read();
  const model = modelOf(dataset);
  const statistics = globalStatistics(model, used(dataset), featureNames(CONFIG));
  return prepareDialogues(model, dataset, dataset.dialogues, statistics, featureNames(CONFIG));
}

describe('toModelConfig', () => {
  it('takes labels, shares and words from the training split, and widths from the features.', async () => {
    const model = modelOf(await read());
    expect(model.labels).toEqual(['x', 'y', 'z']);
    expect(model.prior).toEqual([0.75, 0.25, 0]);
    expect(model.vocabulary).toEqual(['yes', 'no']); // "rare" and "!" occur once, "dev" only in dev
    expect(model.inputs.map(({ name, dim }) => [name, dim])).toEqual([
      ['text', 0],
      ['prosody', 2],
      ['frames', 3],
    ]);
    expect(model).toMatchObject({ format: 1, width: 8, lookAhead: 2, temperature: 1 });
    expect(Object.keys(model.inputs[1]!)).not.toContain('feature');
  });

  it('refuses a feature that is not there, one of another kind, and a training split without labels.', async () => {
    const dataset = await read();
    const withInput = (change: object): TrainConfig => ({
      ...CONFIG,
      inputs: CONFIG.inputs.map((input) => (input.name === 'prosody' ? { ...input, ...change } : input)),
    });
    const refused = (rule: RegExp): object => ({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
    expect(() => modelOf(dataset, withInput({ feature: 'smell' }))).toThrow(
      expect.objectContaining(refused(/no feature "smell"/)),
    );
    expect(() => modelOf(dataset, withInput({ feature: 'frames' }))).toThrow(
      expect.objectContaining(refused(/"frames" is a sequence, not a vector/)),
    );
    expect(() => toModelConfig(CONFIG, [{ dataset, dialogues: [] }])).toThrow(
      expect.objectContaining(refused(/no labelled utterance/)),
    );
  });
});

describe('globalStatistics', () => {
  it.each([
    ['prosody', 'prosody8', 2],
    ['frames', 'frames', 3],
  ])('are mean and reciprocal deviation of every present training row of %s.', async (name, feature, dim) => {
    const dataset = await read();
    const found = globalStatistics(modelOf(dataset), used(dataset), featureNames(CONFIG)).get(name)!;
    const rows = FEATURES[feature]!.rows.slice(0, 5).flatMap((own) => own ?? []); // utterance 5 is in dev
    for (let k = 0; k < dim; k++) {
      const column = rows.map((row) => row[k]!);
      const mean = column.reduce((a, b) => a + b, 0) / column.length;
      const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length;
      expect(found.mean[k]! / mean).toBeCloseTo(1, 5);
      expect(found.scale[k]! * Math.sqrt(variance)).toBeCloseTo(1, 2); // the mean is a 32-bit float, then squared
    }
  });

  it('give a constant column the scale 0, so that it says nothing.', async () => {
    const same: TinyFeature = {
      modality: 'audio',
      kind: 'vector',
      dim: 2,
      rows: [1, 2, 3, 4, 5, 6].map((x) => [[7, x]]),
    };
    const folder = await writeDataset(await newFolder(), { ...SET, features: { ...FEATURES, prosody8: same } });
    const dataset = await readDataset(folder);
    const statistics = globalStatistics(modelOf(dataset), used(dataset), featureNames(CONFIG));
    expect([...statistics.get('prosody')!.scale].map((scale) => scale > 0)).toEqual([false, true]);
    const [first] = prepareDialogues(modelOf(dataset), dataset, dataset.dialogues, statistics, featureNames(CONFIG));
    expect(first!.utterances[0]!.rows.get('prosody')![0]).toBe(0);
  });
});

describe('prepareDialogues', () => {
  it('leaves out what is absent: masked and empty rows, and text that was not said.', async () => {
    const [a, b] = await prepared();
    expect(a!.utterances.map(({ rows }) => [...rows.keys()])).toEqual([['prosody', 'frames'], ['prosody'], ['frames']]);
    expect(b!.utterances.map(({ tokens }) => tokens.length)).toEqual([2, 0]);
    expect(a!.utterances.map(({ id, label }) => [id, label])).toEqual([
      ['a/0', 0],
      ['a/1', 1],
      ['a/2', undefined],
    ]);
    expect(a!.utterances[0]!.tokens.map(({ word }) => word)).toEqual([1, 1, 0]);
  });

  it('gives global z-scores, and beside them those relative to the speaker, who begins anew in each dialogue.', async () => {
    const dialogues = await prepared();
    const rowsOf = (d: number, u: number): number[] => [...dialogues[d]!.utterances[u]!.rows.get('prosody')!];
    // A speaker not yet heard is as the global statistics say: both halves are the same.
    for (const [d, u] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [2, 0],
    ] as const)
      expect(rowsOf(d, u).slice(2)).toEqual(rowsOf(d, u).slice(0, 2));
    // Heard once, at z: mean z / 5, and the spread of four global observations over five.
    const [before, after] = [rowsOf(1, 0), rowsOf(1, 1)];
    for (let k = 0; k < 2; k++) expect(after[2 + k]).toBeCloseTo((after[k]! - before[k]! / 5) / Math.sqrt(4 / 5), 5);
  });

  it('normalises by the training split alone: its z-scores have mean 0 and deviation 1.', async () => {
    const frames = (await prepared())
      .slice(0, 2)
      .flatMap(({ utterances }) => utterances.flatMap(({ rows }) => [...(rows.get('frames') ?? [])]));
    for (let k = 0; k < 3; k++) {
      const column = frames.filter((_, i) => i % 3 === k);
      expect(column.reduce((a, b) => a + b, 0) / column.length).toBeCloseTo(0, 3);
      expect(column.reduce((a, b) => a + b * b, 0) / column.length).toBeCloseTo(1, 2);
    }
  });
});
