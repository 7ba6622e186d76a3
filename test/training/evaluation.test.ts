import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import type { Weights } from '../../src/model/weights.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { evaluate, type Evaluation, LOOK_AHEADS } from '../../src/training/evaluation.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { train } from '../../src/training/trainer.ts';
import { createFolders, TINY_CONFIG, type TinyDataset, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const SET = wordDataset({ train: 24, dev: 6 });
const CONFIG = parseTrainConfig({ ...TINY_CONFIG, epochs: 3, learningRate: 5e-3, embeddingLearningRate: 0.03 });
const read = async (set: TinyDataset): Promise<Dataset> => readDataset(await writeDataset(await newFolder(), set));
let dataset: Dataset;
let weights: Weights;
let whole: Evaluation;

beforeAll(async () => {
  await startTensorBackend('wasm');
  dataset = await read(SET);
  const folder = await newFolder();
  const result = await train({
    config: CONFIG,
    dataset,
    folder,
    resume: false,
    isStopped: () => false,
    report: () => undefined,
  });
  weights = result.weights!;
  whole = await evaluate(weights, dataset, 'dev');
}, 60_000);

const f1Of = ({ rows }: Evaluation): number[] => rows.map(({ metrics }) => metrics.weightedF1);
/** The dataset with other dialogues in the split "dev". */
const withDev = (change: (dialogue: TinyDataset['dialogues'][0]) => TinyDataset['dialogues'][0]): TinyDataset => ({
  ...SET,
  dialogues: SET.dialogues.map((dialogue) => (dialogue.split === 'dev' ? change(dialogue) : dialogue)),
});
/** The dataset with another prosody of every utterance: the feature renamed, and its rows changed. */
const withProsody = (names: readonly string[], change: (row: readonly number[]) => number[]): TinyDataset => {
  const { prosody } = SET.features;
  const rows = prosody!.rows.map((own) => own!.map(change));
  return { ...SET, features: Object.fromEntries(names.map((name) => [name, { ...prosody!, rows }])) };
};

describe('evaluate', () => {
  it('has one row for each look-ahead, of all labelled utterances, with an interval around the figure.', () => {
    expect(whole).toMatchObject({ dataset: 'words', split: 'dev', labels: ['cross', 'glad'], utterances: 24 });
    expect(whole.rows.map(({ lookAhead }) => lookAhead)).toEqual([0, 1, 2, 4, 8, Infinity]);
    expect(LOOK_AHEADS).toEqual([0, 1, 2, 4, 8, Infinity]);
    for (const { metrics, interval } of whole.rows) {
      expect(metrics.utterances).toBe(24);
      expect(interval[0]).toBeLessThanOrEqual(metrics.weightedF1);
      expect(interval[1]).toBeGreaterThanOrEqual(metrics.weightedF1);
    }
  });

  it('finds by the live path what training found over whole dialogues, now and with the whole future.', () => {
    const { weightedF1Now, weightedF1Whole, eceWhole } = weights.provenance.dev;
    expect(whole.rows[0]!.metrics.weightedF1).toBeCloseTo(weightedF1Now!, 10);
    expect(whole.rows.at(-1)!.metrics.weightedF1).toBeCloseTo(weightedF1Whole!, 10);
    expect(whole.rows.at(-1)!.metrics.ece).toBeCloseTo(eceWhole!, 4);
    expect(weightedF1Whole).toBeGreaterThan(whole.floor + 0.2);
    // Each later utterance moves the probabilities, up to the third, and so the calibration error.
    expect(new Set(whole.rows.map(({ metrics }) => metrics.ece)).size).toBe(4);
  });

  it('counts an utterance at every look-ahead, with the last prediction where fewer utterances follow.', async () => {
    // Four utterances in a dialogue: nothing has seen more than three.
    const [, , , four, eight, all] = whole.rows;
    expect([four!.metrics, eight!.metrics]).toEqual([all!.metrics, all!.metrics]);
    const firsts = dataset.dialogues.map((dialogue) => ({ ...dialogue, utterances: dialogue.utterances.slice(0, 1) }));
    const alone = await evaluate(weights, { ...dataset, dialogues: firsts }, 'dev');
    expect(alone.utterances).toBe(6);
    expect(new Set(alone.rows.map(({ metrics }) => JSON.stringify(metrics))).size).toBe(1);
  });

  it('states the floor of always answering the commonest label of the split.', async () => {
    let n = 0;
    const label = (): string => (n++ % 4 === 0 ? 'cross' : 'glad'); // 6 of 24 are cross
    const set = withDev((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u) => ({ ...u, label: label() })),
    }));
    const { floor } = await evaluate(weights, await read(set), 'dev');
    expect(floor).toBeCloseTo((0.75 * (2 * 18)) / (18 + 24), 12);
  });

  it('hears utterances without a label and does not count them.', async () => {
    const set = withDev((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u, i) => (i === 0 ? { ...u, label: null } : u)),
    }));
    const { utterances, rows } = await evaluate(weights, await read(set), 'dev');
    expect(utterances).toBe(18);
    expect(rows.every(({ metrics }) => metrics.utterances === 18)).toBe(true);
  });

  it('shows the network only the modalities asked for.', async () => {
    const other = await read(withProsody(['prosody'], (row) => row.map((x) => 1000 - 7 * x)));
    const text = await evaluate(weights, dataset, 'dev', ['text']);
    expect(text.shown).toEqual(['text']);
    expect((await evaluate(weights, other, 'dev', ['text'])).rows).toEqual(text.rows);
    expect((await evaluate(weights, other, 'dev')).rows).not.toEqual(whole.rows);
    const audio = await evaluate(weights, dataset, 'dev', ['audio']);
    expect(f1Of(audio).at(-1)).toBeLessThan(f1Of(text).at(-1)!);
  });

  it('answers as the training labels were shared when nothing is shown.', async () => {
    const { rows } = await evaluate(weights, dataset, 'dev', ['face']);
    const commonest = weights.config.prior.indexOf(Math.max(...weights.config.prior));
    for (const { metrics } of rows) for (const answers of metrics.confusion) expect(answers[1 - commonest]).toBe(0);
  });

  it('takes a feature by its name, or the only one that fits; of several it takes none.', async () => {
    const same = (row: readonly number[]): number[] => [...row];
    const rowsFor = async (names: readonly string[]): Promise<Evaluation['rows']> =>
      (await evaluate(weights, await read(withProsody(names, same)), 'dev')).rows;
    expect(await rowsFor(['prosody8'])).toEqual(whole.rows);
    expect(await rowsFor(['other', 'prosody'])).toEqual(whole.rows);
    const text = await evaluate(weights, dataset, 'dev', ['text']);
    expect(await rowsFor(['other', 'prosody8'])).toEqual(text.rows);
    expect(await rowsFor([])).toEqual(text.rows);
  });

  it('gives the same result each time, and leaves no tensor.', async () => {
    const before = tf.memory().numTensors;
    expect(await evaluate(weights, dataset, 'dev')).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['there is no such split', (set: TinyDataset) => set, 'test', /no split "test"/],
    ['labels are others', (set: TinyDataset) => renamed(set, ['calm', 'glad']), 'dev', /not those of the weights/],
    ['labels are in another order', (set: TinyDataset) => renamed(set, ['glad', 'cross']), 'dev', /not those of the/],
    ['nothing is labelled', (set: TinyDataset) => renamed(set, set.labels, null), 'dev', /no labelled utterance/],
  ])('refuses a dataset when %s.', async (_, change, split, message) => {
    const evaluation = evaluate(weights, await read(change(SET)), split);
    await expect(evaluation).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(message) });
  });
});

/** The dataset with another label set; every utterance is labelled with the first, or not at all. */
function renamed(set: TinyDataset, labels: readonly string[], label: string | null = labels[0]!): TinyDataset {
  const dialogues = set.dialogues.map((dialogue) => ({
    ...dialogue,
    utterances: dialogue.utterances.map((u) => ({ ...u, label })),
  }));
  return { ...set, labels, dialogues };
}
