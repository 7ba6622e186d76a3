import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { initialValues } from '../../src/model/parameters.ts';
import { decodeWeights, encodeWeights } from '../../src/model/weights.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { evaluate } from '../../src/training/evaluation/evaluate.ts';
import type { Sources } from '../../src/training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { train, type TrainEvent, type TrainOptions, type TrainResult } from '../../src/training/trainer.ts';
import { createFolders, TINY_CONFIG, type TinyDataset, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const SET = wordDataset({ train: 8, dev: 8 });
// 3 epochs of 2 batches. With this rate and seed the second is the best, and the future makes a difference to it, so that
// weights of another epoch, or scores of another look-ahead, show.
const RATES = { learningRate: 0.03, embeddingLearningRate: 0.03 };
const CONFIG = parseTrainConfig({ ...TINY_CONFIG, ...RATES, seed: 1 });
let dataset: Dataset;

beforeAll(async () => {
  await startTensorBackend('wasm');
  dataset = await readDataset(await writeDataset(await newFolder(), SET));
});

const sourcesOf = (...datasets: Dataset[]): Sources =>
  new Map(datasets.map((one) => [one.name, { kind: 'dataset' as const, dataset: one }]));

type Trained = TrainResult & { readonly events: TrainEvent[]; readonly bytes: Buffer };

async function run(config: TrainConfig, change: Partial<TrainOptions> = {}): Promise<Trained> {
  const events: TrainEvent[] = [];
  const folder = change.folder ?? (await newFolder());
  const report = (event: TrainEvent): unknown => events.push(event);
  const result = await train({
    config,
    sources: sourcesOf(dataset),
    folder,
    resume: false,
    isStopped: () => false,
    report,
    ...change,
  });
  return { ...result, events, bytes: Buffer.from(result.weights ? encodeWeights(result.weights, 'F32') : []) };
}

/** A question that is answered with yes the `n`-th time it is asked. */
const stopAt = (n: number): (() => boolean) => {
  let asked = 0;
  return () => ++asked === n;
};
const epochsOf = (events: readonly TrainEvent[]): Extract<TrainEvent, { isBest: boolean }>[] =>
  events.flatMap((event) => (event.type === 'epoch' && 'isBest' in event ? [event] : []));

let straight: Trained;
beforeAll(async () => {
  straight = await run(CONFIG);
}, 60_000);

describe('train', () => {
  it('reports every batch and, after its last, every epoch with its scores on dev.', () => {
    const epoch = (n: number): object[] => [
      { type: 'batch', stage: 'dialogues', epoch: n, batch: 1, batches: 2 },
      { type: 'batch', stage: 'dialogues', epoch: n, batch: 2, batches: 2 },
      { type: 'epoch', stage: 'dialogues', epoch: n },
    ];
    expect(straight.events).toMatchObject([1, 2, 3].flatMap(epoch));
    for (const { loss, dev } of epochsOf(straight.events)) {
      expect(loss).toBeGreaterThan(0);
      for (const score of [dev.now, dev.whole]) expect(score >= 0 && score <= 1).toBe(true);
    }
    expect(straight.epochs).toBe(3);
  });

  it('selects the first of the best epochs by the mean of both scores.', async () => {
    // In the second run an epoch is better with the future, and worse without.
    const other = await run({ ...CONFIG, learningRate: 0.06, embeddingLearningRate: 0.06, seed: 6 });
    for (const { events, bestEpoch } of [straight, other]) {
      const scores = epochsOf(events).map(({ dev }) => (dev.now + dev.whole) / 2);
      expect(bestEpoch).toBe(1 + scores.indexOf(Math.max(...scores)));
      const isBest = scores.map((score, i) => score > Math.max(-1, ...scores.slice(0, i)));
      expect(epochsOf(events).map((event) => event.isBest)).toEqual(isBest);
    }
  });

  it('ends with weights that can be read, that know their origin, and whose figures are those of the best epoch.', async () => {
    const { provenance, config } = decodeWeights(straight.bytes);
    expect(provenance).toMatchObject({ name: 'tiny', trainedOn: 'made-up words', seed: 1 });
    const best = epochsOf(straight.events)[straight.bestEpoch - 1]!;
    expect(provenance.dev).toMatchObject({ weightedF1Now: best.dev.now, weightedF1Whole: best.dev.whole });
    const { rows } = await evaluate(decodeWeights(straight.bytes), dataset, 'dev');
    expect(rows[0]!.metrics.weightedF1).toBeCloseTo(best.dev.now, 10);
    expect(rows.at(-1)!.metrics.weightedF1).toBeCloseTo(best.dev.whole, 10);
    expect(rows.at(-1)!.metrics.ece).toBeCloseTo(provenance.dev['eceWhole']!, 4);
    expect(config.temperature).toBeGreaterThanOrEqual(0.2);
    expect(config.temperature).toBeLessThanOrEqual(5);
    expect(config.labels).toEqual(['cross', 'glad']);
  });

  it('gives the same bytes for the same seed, leaves no tensor, and other bytes for another seed.', async () => {
    const before = tf.memory().numTensors;
    expect((await run(CONFIG)).bytes.equals(straight.bytes)).toBe(true);
    expect(tf.memory().numTensors).toBe(before);
    expect((await run({ ...CONFIG, seed: 8 })).bytes.equals(straight.bytes)).toBe(false);
  });

  it.each([1, 2, 3, 4, 5, 6])('gives the same bytes when it was stopped after batch %i and resumed.', async (batch) => {
    const folder = await newFolder();
    const stopped = await run(CONFIG, { folder, isStopped: stopAt(batch) });
    expect(stopped.weights).toBeUndefined();
    expect(stopped.events.filter(({ type }) => type === 'batch')).toHaveLength(batch);
    const resumed = await run(CONFIG, { folder, resume: true });
    expect(resumed.bytes.equals(straight.bytes)).toBe(true);
    expect(resumed.events[0]).toMatchObject({ epoch: 1 + Math.floor((batch - 1) / 2), batch: 1 });
    expect(resumed.bestEpoch).toBe(straight.bestEpoch);
  });

  it('resumes what was done to its weights without another batch, and begins anew without resume.', async () => {
    const folder = await newFolder();
    await run(CONFIG, { folder });
    const resumed = await run(CONFIG, { folder, resume: true });
    expect(resumed.events).toEqual([]);
    expect(resumed.bytes.equals(straight.bytes)).toBe(true);
    expect((await run(CONFIG, { folder })).events).toEqual(straight.events);
    expect(await readdir(folder)).toEqual(['checkpoint.safetensors']);
  });

  it('refuses to resume with another seed, other settings or other dialogues.', async () => {
    const folder = await newFolder();
    await run(CONFIG, { folder, isStopped: stopAt(3) });
    const others: Partial<TrainOptions>[] = [
      { config: { ...CONFIG, seed: 8 } },
      { config: { ...CONFIG, dropout: 0.31 } },
      { sources: sourcesOf({ ...dataset, name: 'another' }) },
      { sources: sourcesOf({ ...dataset, dialogues: dataset.dialogues.slice(1) }) },
    ];
    for (const other of others)
      await expect(run(CONFIG, { folder, resume: true, ...other })).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
  });

  it('cuts the future of dialogues as configured: with pieces of one, no backward LSTM ever has a past.', async () => {
    const backwardChanges = async (wholeFuture: number): Promise<boolean> => {
      const shape = { ...CONFIG.shape, lookAhead: 0 };
      const { weights } = await run({ ...CONFIG, shape, wholeFuture, weightDecay: 0, epochs: 1 });
      const start = initialValues(weights!.config, CONFIG.seed).get('dialogue.lstm.backward')!;
      return weights!.values.get('dialogue.lstm.backward')!.some((x, i) => x !== start[i]);
    };
    expect(await backwardChanges(0)).toBe(false);
    expect(await backwardChanges(1)).toBe(true);
  });

  it('stops early when dev has not become better for as many epochs as patience says.', async () => {
    // With such a rate nothing is ever learnt: the first epoch stays the best.
    const hopeless = { ...CONFIG, learningRate: 1e-12, embeddingLearningRate: 1e-12, epochs: 9, patience: 2 };
    const { epochs, bestEpoch, weights, events } = await run(hopeless);
    expect([epochs, bestEpoch]).toEqual([3, 1]);
    expect(epochsOf(events).map(({ isBest }) => isBest)).toEqual([true, false, false]);
    expect(weights).toBeDefined();
  });

  it('learns which word means which label, within seconds, beside all the other terms of the loss.', async () => {
    const learnable = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 40, dev: 15 })));
    const shape = { width: 32, heads: 2, feedForward: 32, contextHidden: 16, headHidden: 32 };
    const settings = { epochs: 5, learningRate: 2e-3, embeddingLearningRate: 5e-3 };
    const config = { ...CONFIG, ...settings, shape: { ...CONFIG.shape, ...shape } };
    const { weights } = await run(config, { sources: sourcesOf(learnable) });
    const { weightedF1Now, weightedF1Whole } = weights!.provenance.dev;
    expect(weightedF1Now).toBeGreaterThanOrEqual(0.9);
    expect(weightedF1Whole).toBeGreaterThanOrEqual(0.9);
  });

  const without = (split: string): TinyDataset => ({
    ...SET,
    dialogues: SET.dialogues.map((dialogue) => (dialogue.split === split ? { ...dialogue, split: 'other' } : dialogue)),
  });
  const unlabelled: TinyDataset = {
    ...SET,
    dialogues: SET.dialogues.map((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u) => (dialogue.split === 'dev' ? { ...u, label: null } : u)),
    })),
  };
  it.each([
    ['train', without('train'), /no split "train"/],
    ['dev', without('dev'), /no split "dev"/],
    ['a label in dev', unlabelled, /"dev" has no labelled utterance/],
  ])('refuses a dataset without %s, and writes nothing.', async (_, set, message) => {
    const folder = await newFolder();
    const broken = await readDataset(await writeDataset(await newFolder(), set));
    const training = run(CONFIG, { folder: join(folder, 'out'), sources: sourcesOf(broken) });
    await expect(training).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(message) });
    expect(await readdir(folder)).toEqual([]);
  });
});
