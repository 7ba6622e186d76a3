import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../../src/app/tensorBackend.ts';
import type { Weights } from '../../../src/model/weights.ts';
import { type Dataset, readDataset } from '../../../src/training/dataset.ts';
import { evaluate, type EvaluateOptions } from '../../../src/training/evaluation/evaluate.ts';
import { drawRateMasks } from '../../../src/training/evaluation/hiddenModalities.ts';
import { type ComparedRow, type Evaluation, LOOK_AHEADS } from '../../../src/training/evaluation/result.ts';
import { StoppedError } from '../../../src/training/evaluation/runner.ts';
import { parseTrainConfig } from '../../../src/training/trainConfig.ts';
import { train } from '../../../src/training/trainer.ts';
import { tinyWeights } from '../../support/tinyModel.ts';
import { createFolders, TINY_CONFIG, type TinyDataset, wordDataset, writeDataset } from '../../support/tinyDataset.ts';

const newFolder = createFolders();
const SET = wordDataset({ train: 24, dev: 6 });
const CONFIG = parseTrainConfig({
  ...TINY_CONFIG,
  epochs: 4,
  learningRate: 0.02,
  embeddingLearningRate: 0.05,
  averaging: 0,
});
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
    sources: new Map([[dataset.name, { kind: 'dataset', dataset }]]),
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
    const text = await evaluate(weights, dataset, 'dev', { shown: ['text'] });
    expect(text.shown).toEqual(['text']);
    expect((await evaluate(weights, other, 'dev', { shown: ['text'] })).rows).toEqual(text.rows);
    expect((await evaluate(weights, other, 'dev')).rows).not.toEqual(whole.rows);
    const audio = await evaluate(weights, dataset, 'dev', { shown: ['audio'] });
    expect(f1Of(audio).at(-1)).toBeLessThan(f1Of(text).at(-1)!);
  });

  it('answers as the training labels were shared when nothing is shown.', async () => {
    const { rows } = await evaluate(weights, dataset, 'dev', { shown: ['face'] });
    const commonest = weights.config.prior.indexOf(Math.max(...weights.config.prior));
    for (const { metrics } of rows) for (const answers of metrics.confusion) expect(answers[1 - commonest]).toBe(0);
  });

  it('takes a feature by its name, or the only one that fits; of several it takes none.', async () => {
    const same = (row: readonly number[]): number[] => [...row];
    const rowsFor = async (names: readonly string[]): Promise<Evaluation['rows']> =>
      (await evaluate(weights, await read(withProsody(names, same)), 'dev')).rows;
    expect(await rowsFor(['prosody8'])).toEqual(whole.rows);
    expect(await rowsFor(['other', 'prosody'])).toEqual(whole.rows);
    const text = await evaluate(weights, dataset, 'dev', { shown: ['text'] });
    expect(await rowsFor(['other', 'prosody8'])).toEqual(text.rows);
    expect(await rowsFor([])).toEqual(text.rows);
  });

  it('gives the same result each time, and leaves no tensor.', async () => {
    const before = tf.memory().numTensors;
    expect(await evaluate(weights, dataset, 'dev')).toEqual(whole);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('measures only the look-aheads asked for, each as among all of them.', async () => {
    const some = await evaluate(weights, dataset, 'dev', { lookAheads: [1, Infinity] });
    expect(some.rows).toEqual([whole.rows[1], whole.rows.at(-1)]);
  });

  it('feeds a vector to a sequence of its width as one row, when there is no sequence.', async () => {
    const inputs = weights.config.inputs.map((input) =>
      input.name === 'prosody' ? { ...input, kind: 'sequence' as const, name: 'frames' } : input,
    );
    const own = tinyWeights({ ...weights.config, inputs }, 2);
    const { sources, present } = await evaluate(own, dataset, 'dev', { lookAheads: [0] });
    expect([sources, present]).toEqual([{ text: 'text', frames: 'prosody' }, ['text', 'audio']]);
    const alone = await evaluate(own, await read(withProsody([], (row) => [...row])), 'dev', { lookAheads: [0] });
    expect([alone.sources, alone.present]).toEqual([{ text: 'text', frames: null }, ['text']]);
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

const last = <T>(rows: readonly T[]): T => rows.at(-1)!;
const f1 = (rows: readonly ComparedRow[]): number => last(rows).metrics.weightedF1;

describe('evaluate with modalities missing', () => {
  it('measures every subset as if the others had not been shown, with the difference from everything.', async () => {
    const { subsets } = await evaluate(weights, dataset, 'dev', { subsets: true });
    expect(subsets!.map(({ shown }) => shown)).toEqual([['text', 'audio'], ['text'], ['audio']]);
    const [all, text] = subsets!;
    expect(all!.rows).toEqual(whole.rows.map((row) => ({ ...row, difference: { value: 0, interval: [0, 0] } })));
    expect(all!.zeroFilled).toBeUndefined();
    const alone = await evaluate(weights, dataset, 'dev', { shown: ['text'] });
    expect(text!.rows.map(({ difference: _, ...row }) => row)).toEqual(alone.rows);
    for (const [i, { difference, metrics }] of text!.rows.entries())
      expect(difference.value).toBeCloseTo(metrics.weightedF1 - whole.rows[i]!.metrics.weightedF1, 12);
  });

  it('fills with zeros what is hidden: the same as a dataset of the training mean, or of an unknown word.', async () => {
    const { subsets } = await evaluate(weights, dataset, 'dev', { subsets: true });
    const mean = [...weights.values.get('prosody.mean')!];
    const filled = await evaluate(weights, await read(withProsody(['prosody'], () => mean)), 'dev');
    expect(f1(subsets![1]!.zeroFilled!)).toBe(last(filled.rows).metrics.weightedF1);
    expect(last(subsets![1]!.zeroFilled!).bins).toEqual(last(filled.rows).bins);
    expect(last(subsets![1]!.zeroFilled!).bins).not.toEqual(last(subsets![1]!.rows).bins);
    // Nothing of a hidden text is left: what was said does not matter.
    const mute = withDev((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u) => ({ ...u, text: 'something else entirely' })),
    }));
    const other = await evaluate(weights, await read(mute), 'dev', { subsets: true });
    expect(other.subsets![2]!.zeroFilled).toEqual(subsets![2]!.zeroFilled);
    const { difference, metrics } = last(subsets![2]!.zeroFilled!);
    expect(difference.value).toBeCloseTo(metrics.weightedF1 - f1(subsets![2]!.rows), 12);
  });

  it('takes subsets of what is shown only.', async () => {
    const { subsets, rows } = await evaluate(weights, dataset, 'dev', { shown: ['text', 'face'], subsets: true });
    expect(subsets!.map(({ shown }) => shown)).toEqual([['text']]);
    expect(subsets![0]!.rows.map(({ difference: _, ...row }) => row)).toEqual(rows);
  });

  it('measures each rate with the masks given, and says how much was really hidden.', async () => {
    const rateMasks: EvaluateOptions['rateMasks'] = (split, shown) => drawRateMasks(split, shown, 5);
    const { rates } = await evaluate(weights, dataset, 'dev', { rateMasks });
    expect(rates!.seed).toBe(5);
    expect(rates!.results.map(({ rate }) => rate)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(rates!.results[0]).toMatchObject({ hidden: 0, rows: whole.rows });
    const hidden = rates!.results.map((result) => result.hidden);
    expect(hidden).toEqual(hidden.toSorted((a, b) => a - b));
    expect(hidden.at(-1)).toBeGreaterThan(0.2);
    expect(hidden.at(-1)).toBeLessThanOrEqual(0.5);
    expect(f1(rates!.results.at(-1)!.rows)).toBeLessThan(last(whole.rows).metrics.weightedF1);
    const nothing = new Map([
      [0.5, Array.from({ length: 6 }, () => Array.from({ length: 4 }, () => new Set<never>()))],
    ]);
    const bare = await evaluate(weights, dataset, 'dev', { rateMasks: () => ({ seed: 0, rates: nothing }) });
    expect(bare.rates!.results[1]!.rows).toEqual(rates!.results[0]!.rows);
  });
});

describe('evaluate without parts', () => {
  it('switches off each part by name, which changes the answers, and compares with the whole.', async () => {
    const names = ['qaf', 'joint-embedding', 'speaker', 'dialogue'] as const;
    const { ablations, rows } = await evaluate(weights, dataset, 'dev', { ablations: names });
    expect(rows).toEqual(whole.rows);
    expect(ablations!.map(({ without }) => without)).toEqual(names);
    const bins = ablations!.map((result) => JSON.stringify(last(result.rows).bins));
    expect(new Set([...bins, JSON.stringify(last(whole.rows).bins)]).size).toBe(5);
    for (const { rows: own } of ablations!)
      expect(last(own).difference.value).toBeCloseTo(f1(own) - last(whole.rows).metrics.weightedF1, 12);
  });

  it('hides the face, and refuses that where there is none.', async () => {
    const rows = SET.features['prosody']!.rows.map(() => FACE);
    const face = { modality: 'face', kind: 'sequence', dim: 5, rows } as const;
    const both = await read({ ...SET, features: { ...SET.features, face } });
    const spec = { ...weights.config.inputs[1]!, name: 'face', modality: 'face', kind: 'sequence', dim: 5 } as const;
    const own = tinyWeights({ ...weights.config, inputs: [...weights.config.inputs, spec] }, 3);
    const { ablations, present } = await evaluate(own, both, 'dev', { ablations: ['face'] });
    expect(present).toEqual(['text', 'audio', 'face']);
    const hidden = await evaluate(own, both, 'dev', { shown: ['text', 'audio', 'body'] });
    expect(ablations![0]!.rows.map(({ difference: _, ...row }) => row)).toEqual(hidden.rows);
    const refused = { code: 'BAD_OPTION', message: expect.stringMatching(/--ablate face/) };
    await expect(evaluate(weights, dataset, 'dev', { ablations: ['face'] })).rejects.toMatchObject(refused);
    const notShown = evaluate(own, both, 'dev', { shown: ['text'], ablations: ['face'] });
    await expect(notShown).rejects.toMatchObject(refused);
  });

  it('permutes speakers, which changes nothing where one speaker says everything.', async () => {
    const { shuffledSpeakers } = await evaluate(weights, dataset, 'dev', { shuffleSpeakers: true });
    expect(last(shuffledSpeakers!.rows).bins).not.toEqual(last(whole.rows).bins);
    const alone = withDev((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u) => ({ ...u, speaker: 'Ada' })),
    }));
    const { shuffledSpeakers: same, rows } = await evaluate(weights, await read(alone), 'dev', {
      shuffleSpeakers: true,
    });
    expect(same!.rows.map(({ difference: _, ...row }) => row)).toEqual(rows);
  });
});

describe('evaluate beside other weights', () => {
  it('measures them as they are measured alone, and takes differences in pairs; from themselves they are 0.', async () => {
    const other = tinyWeights(weights.config, 5);
    const { others, rows } = await evaluate(weights, dataset, 'dev', { others: [other, weights] });
    const alone = await evaluate(other, dataset, 'dev');
    expect(rows).toEqual(whole.rows);
    expect(others!.map(({ weights: name, seed }) => [name, seed])).toEqual([
      ['tiny', 5],
      [weights.provenance.name, weights.provenance.seed],
    ]);
    expect(others![0]!.rows.map(({ difference: _, ...row }) => row)).toEqual(alone.rows);
    others![0]!.rows.forEach(({ difference, metrics }, i) => {
      const expected = metrics.weightedF1 - rows[i]!.metrics.weightedF1;
      expect(difference.value).toBeCloseTo(expected, 12);
      expect(difference.interval[0]).toBeLessThanOrEqual(expected);
      expect(difference.interval[1]).toBeGreaterThanOrEqual(expected);
    });
    expect(f1(others![0]!.rows)).not.toBe(last(rows).metrics.weightedF1);
    for (const { difference } of others![1]!.rows) expect(difference).toEqual({ value: 0, interval: [0, 0] });
  });

  it('feeds each its own inputs, and shows all of them the same modalities.', async () => {
    const [text] = weights.config.inputs;
    const other = tinyWeights({ ...weights.config, inputs: [text!] }, 5);
    const { others } = await evaluate(weights, dataset, 'dev', { others: [other] });
    expect(others![0]!.sources).toEqual({ text: 'text' });
    const { others: hidden } = await evaluate(weights, dataset, 'dev', { others: [weights], shown: ['audio'] });
    const alone = await evaluate(weights, dataset, 'dev', { shown: ['audio'] });
    expect(hidden![0]!.rows.map(({ difference: _, ...row }) => row)).toEqual(alone.rows);
  });

  it('refuses weights with other labels before anything is measured.', async () => {
    const other = tinyWeights({ ...weights.config, labels: ['calm', 'glad'] }, 5);
    let done = 0;
    const measured = evaluate(weights, dataset, 'dev', { others: [other], onProgress: (n) => (done = n) });
    await expect(measured).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(/calm, glad/) });
    expect(done).toBe(0);
  });

  it('counts their passes too.', async () => {
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number): void => void seen.push([done, total]);
    await evaluate(weights, dataset, 'dev', { others: [weights, weights], lookAheads: [0], onProgress });
    expect(seen.at(-1)).toEqual([3 * 24, 3 * 24]);
  });
});

describe('evaluate as it goes', () => {
  it('counts every classification of every pass, up to all of them.', async () => {
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number): void => void seen.push([done, total]);
    await evaluate(weights, dataset, 'dev', { subsets: true, ablations: ['qaf'], shuffleSpeakers: true, onProgress });
    // Everything, two subsets masked and zero-filled, one part, the speakers: seven passes over 24 utterances.
    expect(seen).toHaveLength(7 * 6);
    expect(new Set(seen.map(([, total]) => total))).toEqual(new Set([7 * 24]));
    expect(seen.map(([done]) => done)).toEqual(Array.from({ length: 42 }, (_, i) => 4 * (i + 1)));
  });

  it('stops between dialogues when told to, and leaves no tensor.', async () => {
    const before = tf.memory().numTensors;
    let done = 0;
    const stopped = evaluate(weights, dataset, 'dev', {
      onProgress: (n) => (done = n),
      isStopped: () => done >= 8,
    });
    await expect(stopped).rejects.toBeInstanceOf(StoppedError);
    expect(done).toBe(8);
    expect(tf.memory().numTensors).toBe(before);
  });
});

const FACE = [
  [1, 2, 3, 4, 5],
  [2, 3, 4, 5, 6],
];

/** The dataset with another label set; every utterance is labelled with the first, or not at all. */
function renamed(set: TinyDataset, labels: readonly string[], label: string | null = labels[0]!): TinyDataset {
  const dialogues = set.dialogues.map((dialogue) => ({
    ...dialogue,
    utterances: dialogue.utterances.map((u) => ({ ...u, label })),
  }));
  return { ...set, labels, dialogues };
}
