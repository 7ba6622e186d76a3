import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { parameterSpecs } from '../../src/model/parameters.ts';
import { decodeWeights, encodeWeights, type Weights } from '../../src/model/weights.ts';
import { readCheckpoint } from '../../src/training/checkpoint.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import type { Source, Sources } from '../../src/training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { train, type TrainEvent, type TrainOptions, type TrainResult } from '../../src/training/trainer.ts';
import { createFolders, TINY_CONFIG, wordCorpus, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const toSource = (dataset: Dataset): Source => ({ kind: 'dataset', dataset });
const texts = (name: string, target?: 'values'): Source => ({
  kind: 'texts',
  corpus: wordCorpus(name, { train: 24, dev: 8 }, target),
});
const readSet = async (counts: Record<string, number>, seed?: number): Promise<Dataset> =>
  readDataset(await writeDataset(await newFolder(), wordDataset(counts, seed)));

let dataset: Dataset;
let sources: Sources;
beforeAll(async () => {
  await startTensorBackend('wasm');
  dataset = await readSet({ train: 8, dev: 8 });
  sources = new Map([
    ['words', toSource(dataset)],
    ['said', texts('said')],
    ['rated', texts('rated', 'values')],
  ]);
});

// Two stages of 2 × 3 and 1 × 2 batches, then 2 × 2 of dialogues: 12 in all.
const STAGED = {
  ...TINY_CONFIG,
  ...{ seed: 1, epochs: 2, learningRate: 0.01, embeddingLearningRate: 0.01 },
  pretraining: [
    {
      ...{ name: 'words', mode: 'text', epochs: 2, batchUtterances: 24, warmUpSteps: 2 },
      sources: [{ data: 'said' }, { data: 'rated' }, { data: 'words', perEpoch: 5 }],
    },
    {
      name: 'voices',
      mode: 'audio',
      epochs: 1,
      batchUtterances: 16,
      sources: [{ data: 'words' }],
      augment: { noise: 0.1 },
    },
  ],
  sources: [{ data: 'words' }],
  averaging: 0.5,
};
const CONFIG = parseTrainConfig(STAGED);

type Trained = TrainResult & { readonly events: TrainEvent[]; readonly bytes: Buffer };

async function run(config: TrainConfig, change: Partial<TrainOptions> = {}): Promise<Trained> {
  const events: TrainEvent[] = [];
  const given: TrainOptions = {
    ...{ config, sources, folder: change.folder ?? (await newFolder()), resume: false, isStopped: () => false },
    report: (event) => events.push(event),
    ...change,
  };
  const result = await train(given);
  return { ...result, events, bytes: Buffer.from(result.weights ? encodeWeights(result.weights, 'F32') : []) };
}
const stopAt = (n: number): (() => boolean) => {
  let asked = 0;
  return () => ++asked === n;
};
const batchesOf = (events: readonly TrainEvent[]): TrainEvent[] => events.filter(({ type }) => type === 'batch');
const valuesOf = ({ weights }: TrainResult, name: string): Float32Array => weights!.values.get(name)!;

let straight: Trained;
beforeAll(async () => {
  straight = await run(CONFIG);
}, 60_000);

describe('train, with stages before the dialogues', () => {
  it('runs the stages in order, and reports batches and epochs of each with what it measured.', () => {
    const order = batchesOf(straight.events).map(({ stage, epoch }) => `${stage} ${epoch}`);
    const times = (n: number, what: string): string[] => new Array<string>(n).fill(what);
    expect(order).toEqual([
      ...[...times(3, 'words 1'), ...times(3, 'words 2'), ...times(2, 'voices 1')],
      ...[...times(2, 'dialogues 1'), ...times(2, 'dialogues 2')],
    ]);
    const dev = straight.events.flatMap((event) => (event.type === 'epoch' ? [Object.keys(event.dev)] : []));
    expect(dev).toEqual([
      ...[['said', 'rated', 'words'], ['said', 'rated', 'words'], ['words']],
      ...[
        ['now', 'whole'],
        ['now', 'whole'],
      ],
    ]);
  });

  it('ends with weights of the network alone: no head of a stage, no temperature of a loss.', () => {
    const names = [...decodeWeights(straight.bytes).values.keys()].sort();
    expect(names).toEqual(
      parameterSpecs(straight.weights!.config)
        .map(({ name }) => name)
        .sort(),
    );
    expect(names.filter((name) => name.startsWith('training.'))).toEqual([]);
  });

  it('hands what was learnt on to the dialogues: words, and the encoder of the audio.', async () => {
    // Dialogues that learn nothing show what the stages alone have done.
    const still = { ...CONFIG, ...{ learningRate: 1e-12, embeddingLearningRate: 1e-12, weightDecay: 0, averaging: 0 } };
    const [staged, plain] = [await run(still), await run({ ...still, pretraining: [] })];
    for (const name of ['text.lstm.forward', 'prosody.project.w'])
      expect(valuesOf(staged, name)).not.toEqual(valuesOf(plain, name));
    const furthest = (name: string): number =>
      Math.max(...valuesOf(staged, name).map((x, i) => Math.abs(x - (valuesOf(plain, name)[i] ?? NaN))));
    expect(furthest('text.word')).toBeGreaterThan(1e-3);
    expect(furthest('head.out.w')).toBeLessThan(1e-6);
  });

  it('knows the words of its stages, and of no other corpus that it was given.', async () => {
    const corpus = { ...wordCorpus('odd', { train: 2, dev: 2 }) };
    const rows = corpus.rows.map((row) => ({ ...row, text: 'strange strange news' }));
    const odd: Sources = new Map([...sources, ['odd', { kind: 'texts', corpus: { ...corpus, rows } }]]);
    const [, voices] = CONFIG.pretraining;
    const stage = { ...CONFIG.pretraining[0]!, sources: [{ data: 'odd', splits: ['train'], dev: [] }] };
    const config = { ...CONFIG, epochs: 1, pretraining: [stage, voices!] };
    expect((await run(config, { sources: odd })).weights!.config.vocabulary).toContain('strange');
    expect((await run({ ...config, pretraining: [] }, { sources: odd })).weights!.config.vocabulary).not.toContain(
      'strange',
    );
  });

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))(
    'gives the same bytes when it was stopped after batch %i of 12 and resumed.',
    async (batch) => {
      const folder = await newFolder();
      const stopped = await run(CONFIG, { folder, isStopped: stopAt(batch) });
      expect(stopped.weights).toBeUndefined();
      expect(batchesOf(stopped.events)).toHaveLength(batch);
      const resumed = await run(CONFIG, { folder, resume: true });
      expect(resumed.bytes.equals(straight.bytes)).toBe(true);
      const whole = [0, 3, 6, 8, 10].filter((n) => n < batch).at(-1)!;
      expect(batchesOf(resumed.events)).toEqual(batchesOf(straight.events).slice(whole));
    },
  );

  it('gives the same bytes when it was stopped in every stage, one after the other.', async () => {
    const folder = await newFolder();
    for (const batch of [4, 4, 1, 3]) await run(CONFIG, { folder, resume: true, isStopped: stopAt(batch) });
    expect((await run(CONFIG, { folder, resume: true })).bytes.equals(straight.bytes)).toBe(true);
  });

  it('keeps the heads of a stage in the checkpoint while it lasts, and leaves them out afterwards.', async () => {
    const namesAfter = async (batch: number): Promise<(string | undefined)[]> => {
      const folder = await newFolder();
      await run(CONFIG, { folder, isStopped: stopAt(batch) });
      const bytes = await readFile(join(folder, 'checkpoint.safetensors'));
      const header = bytes.toString('latin1', 8, 8 + Number(bytes.readBigUInt64LE(0)));
      return [...new Set(header.match(/training\.[a-z]+/g) ?? [])].sort();
    };
    expect(await namesAfter(4)).toEqual(['training.divergence', 'training.words']);
    expect(await namesAfter(8)).toEqual(['training.divergence']);
  });

  it('gives one dataset under two names two heads, and each as many examples as it is told.', async () => {
    const given: Sources = new Map([...sources, ['words:again', sources.get('words')!]]);
    const uses = [
      { data: 'words', splits: ['train'], dev: ['dev'], perEpoch: 5 },
      { data: 'words:again', splits: ['train'], dev: ['dev'], perEpoch: 17 },
    ];
    const stage = { ...CONFIG.pretraining[1]!, batchUtterances: 4, sources: uses };
    const { events } = await run({ ...CONFIG, epochs: 1, pretraining: [stage] }, { sources: given });
    expect(batchesOf(events).filter((event) => event.stage === 'voices')).toHaveLength(2 + 5);
    const measured = events.find(({ type }) => type === 'epoch');
    expect(Object.keys((measured as { dev: object }).dev)).toEqual(['words', 'words:again']);
  });

  it('refuses to resume when a stage has changed.', async () => {
    const folder = await newFolder();
    await run(CONFIG, { folder, isStopped: stopAt(5) });
    const [first, second] = CONFIG.pretraining;
    const config = { ...CONFIG, pretraining: [{ ...first!, epochs: 3 }, second!] };
    await expect(run(config, { folder, resume: true })).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
    await expect(readCheckpoint(folder, 'another run')).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
  });
});

describe('train, from given weights', () => {
  // A rate at which nothing is learnt shows what training began with.
  const still = { ...CONFIG, ...{ epochs: 1, averaging: 0, learningRate: 1e-12, weightDecay: 0 } };
  const startOf = (changed: Readonly<Record<string, Float32Array>>): Weights => {
    const weights = straight.weights!;
    return { ...weights, values: new Map([...weights.values, ...Object.entries(changed)]) };
  };

  it('starts with their values where name and size fit, in place of the stages, and leaves them as they were.', async () => {
    const ones = new Float32Array(valuesOf(straight, 'head.out.w').length).fill(0.25);
    const start = startOf({ 'head.out.w': ones, 'head.out.b': Float32Array.of(9, 9, 9), 'no.such': ones });
    const started = await run(still, { start });
    expect(new Set(started.events.map(({ stage }) => stage))).toEqual(new Set(['dialogues']));
    for (const x of valuesOf(started, 'head.out.w')) expect(x).toBeCloseTo(0.25, 6);
    for (const x of valuesOf(started, 'head.out.b')) expect(x).toBeCloseTo(0, 6);
    expect(started.weights!.values.has('no.such')).toBe(false);
    expect(ones.every((x) => x === 0.25)).toBe(true);
    const learning = await run({ ...still, learningRate: 0.1 }, { start });
    expect(valuesOf(learning, 'head.out.w')).not.toEqual(ones);
    expect(ones.every((x) => x === 0.25)).toBe(true);
  });

  it('keeps their vocabulary and their normalisation, so that words and rows mean what they meant.', async () => {
    const other = await readSet({ train: 4, dev: 4 }, 77);
    const texts = other.dialogues.map((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((u) => ({ ...u, text: 'entirely other words' })),
    }));
    const given: Sources = new Map([['words', toSource({ ...other, dialogues: texts })]]);
    const started = await run({ ...still, pretraining: [] }, { sources: given, start: straight.weights! });
    expect(started.weights!.config.vocabulary).toEqual(straight.weights!.config.vocabulary);
    expect(valuesOf(started, 'prosody.mean')).toEqual(valuesOf(straight, 'prosody.mean'));
    const anew = await run({ ...still, pretraining: [] }, { sources: given });
    expect(anew.weights!.config.vocabulary).toContain('entirely');
    expect(valuesOf(anew, 'prosody.mean')).not.toEqual(valuesOf(straight, 'prosody.mean'));
  });

  it('refuses to resume from other weights than it began with, and from other texts.', async () => {
    const folder = await newFolder();
    const start = startOf({});
    await run({ ...CONFIG, epochs: 2 }, { folder, start, isStopped: stopAt(3) });
    const other = startOf({ 'head.out.b': valuesOf(straight, 'head.out.b').map((x) => x + 1e-6) });
    for (const change of [{ start: other }, { start, sources: new Map([...sources, ['rated', texts('rated')]]) }])
      await expect(run({ ...CONFIG, epochs: 2 }, { folder, resume: true, ...change })).rejects.toMatchObject({
        code: 'BAD_CHECKPOINT',
      });
    expect((await run({ ...CONFIG, epochs: 2 }, { folder, resume: true, start })).weights).toBeDefined();
  });

  it('hands out the weights when pre-training ends; from them it goes on as if it had done it itself.', async () => {
    const handed: Uint8Array[] = [];
    const whole = await run(CONFIG, {
      pretrained: (weights) => Promise.resolve(void handed.push(encodeWeights(weights, 'F32'))),
    });
    expect(whole.bytes.equals(straight.bytes)).toBe(true);
    expect(handed).toHaveLength(1);
    const continued = await run(CONFIG, { start: decodeWeights(handed[0]!) });
    expect(continued.bytes.equals(straight.bytes)).toBe(true);
  });
});

describe('train, on several datasets', () => {
  const plain = { ...CONFIG, pretraining: [], epochs: 2, averaging: 0 };
  const use = (data: string, perEpoch?: number): TrainConfig['sources'][0] => ({
    ...{ data, splits: ['train'], dev: [] },
    ...(perEpoch !== undefined && { perEpoch }),
  });
  const both = async (): Promise<Sources> => {
    const more = await readSet({ train: 12 }, 5);
    return new Map([...sources, ['more', toSource({ ...more, name: 'more' })]]);
  };

  it('mixes their dialogues, as many of each per epoch as it is told, and selects on the first.', async () => {
    const given = await both();
    const batches = async (uses: TrainConfig['sources']): Promise<number> => {
      const { events, weights } = await run({ ...plain, sources: uses, epochs: 1 }, { sources: given });
      expect(weights).toBeDefined();
      return batchesOf(events).length;
    };
    // 4 dialogues in a batch, 4 utterances in a dialogue.
    expect(await batches([use('words'), use('more')])).toBe(20 / 4);
    expect(await batches([use('words'), use('more', 16)])).toBe(12 / 4);
    expect(await batches([use('words'), use('more', 17)])).toBe(Math.ceil(13 / 4));
    expect(await batches([use('words', 4), use('more', 4)])).toBe(1);
  });

  it('takes every dataset that it was given when the configuration names none.', async () => {
    const { events } = await run({ ...plain, sources: [], epochs: 1 }, { sources: await both() });
    expect(batchesOf(events)).toHaveLength(20 / 4);
  });

  it('counts ten dialogues of one utterance as one, so that clips make no tiny batches.', async () => {
    const clips: Dataset = {
      ...dataset,
      name: 'clips',
      dialogues: dataset.dialogues.flatMap(({ utterances, ...rest }) =>
        utterances.map((u) => ({ ...rest, id: `${rest.id}:${u.id}`, utterances: [u] })),
      ),
    };
    const given: Sources = new Map([...sources, ['clips', toSource(clips)]]);
    const { events } = await run({ ...plain, sources: [use('words'), use('clips')], epochs: 1 }, { sources: given });
    // 8 + 3.2 dialogues, 4 in a batch.
    expect(batchesOf(events)).toHaveLength(3);
  });

  it('lends voices of a donor in some dialogues, which is another training, and just as repeatable.', async () => {
    const given = await both();
    const lent = { ...plain, pairing: { share: 1, agreement: 1, rest: 0, audio: 'more' } };
    const [first, again, never, none] = [
      await run(lent, { sources: given }),
      await run(lent, { sources: given }),
      await run({ ...lent, pairing: { share: 0, agreement: 1, rest: 0, audio: 'more' } }, { sources: given }),
      await run(plain, { sources: given }),
    ];
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect(first.bytes.equals(none.bytes)).toBe(false);
    expect(valuesOf(never, 'head.out.w')).not.toEqual(valuesOf(first, 'head.out.w'));
  });

  it.each<[string, (other: Dataset) => Dataset, Partial<TrainConfig>, RegExp]>([
    ['labels of a second dataset', flip, { sources: [use('words'), use('more')] }, /more: its labels are not those of/],
    [
      'labels of a donor',
      flip,
      { pairing: { share: 1, agreement: 1, rest: 0, audio: 'more' } },
      /more: its labels are not those of words/,
    ],
    ['a source that was not given', (d) => d, { sources: [use('lost')] }, /uses "lost", which is not among/],
    ['a text corpus as dialogues', (d) => d, { sources: [use('said')] }, /"said" is a text corpus/],
    ['a split of a source', (d) => d, { sources: [{ ...use('words'), splits: ['trian'] }] }, /no split "trian"/],
    ['training on dev', (d) => d, { sources: [{ ...use('words'), splits: ['train', 'dev'] }] }, /"dev" selects/],
    ['a stage on dev', (d) => d, { pretraining: [stageOn('words', ['dev'])] }, /"dev" selects and calibrates/],
    ['a split of texts', (d) => d, { pretraining: [stageOn('said', ['trian'])] }, /said: it has no split "trian"/],
  ])('refuses what does not fit: %s.', async (_, change, config, message) => {
    const given = await both();
    const other = given.get('more') as { dataset: Dataset };
    const changed: Sources = new Map([...given, ['more', toSource(change(other.dataset))]]);
    await expect(run({ ...plain, ...config }, { sources: changed })).rejects.toMatchObject({
      code: 'BAD_DATASET',
      message: expect.stringMatching(message),
    });
  });
});

describe('train, at its end', () => {
  it('fits a temperature for every combination of modes that dev has often enough, and keeps them in the weights.', async () => {
    const large = await readSet({ train: 4, dev: 13 }); // 52 utterances, without and with their future: 104
    const config = { ...CONFIG, pretraining: [], sources: [], epochs: 1, averaging: 0 };
    const trained = await run(config, { sources: new Map([['words', toSource(large)]]) });
    const { temperature, temperatures } = decodeWeights(trained.bytes).config;
    expect(Object.keys(temperatures ?? {}).sort()).toEqual(['audio', 'text', 'text+audio']);
    for (const fitted of Object.values(temperatures ?? {})) {
      expect(fitted).toBeGreaterThanOrEqual(0.2);
      expect(fitted).toBeLessThanOrEqual(5);
      expect(temperature).toBeGreaterThanOrEqual(fitted);
    }
    expect(straight.weights!.config.temperatures).toEqual({}); // 8 dialogues: 64, too few
  });

  it('keeps the running average instead of the last values when it is asked to.', async () => {
    const config = { ...CONFIG, pretraining: [], epochs: 1 };
    const [averaged, last] = [await run(config), await run({ ...config, averaging: 0 })];
    expect(valuesOf(averaged, 'head.out.w')).not.toEqual(valuesOf(last, 'head.out.w'));
  });
});

function flip(other: Dataset): Dataset {
  return { ...other, labels: [...other.labels].reverse() };
}

function stageOn(data: string, splits: string[]): TrainConfig['pretraining'][0] {
  return { ...CONFIG.pretraining[0]!, sources: [{ data, splits, dev: [] }] };
}
