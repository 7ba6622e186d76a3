import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { decodeWeights, encodeWeights } from '../../src/model/weights.ts';
import { readCheckpoint } from '../../src/training/checkpoint.ts';
import { readDataset } from '../../src/training/dataset.ts';
import type { Sources } from '../../src/training/sources.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { train, type TrainEvent, type TrainOptions, type TrainResult } from '../../src/training/trainer.ts';
import { createFolders, TINY_CONFIG, wordCorpus, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
let sources: Sources;

// A stage of 1 batch, then for each member 2 × 2 batches of dialogues.
const CONFIG = parseTrainConfig({
  ...TINY_CONFIG,
  ...{ seed: 4, epochs: 2, patience: 2, learningRate: 0.01, averaging: 0.5, members: 3 },
  pretraining: [{ name: 'words', mode: 'text', epochs: 1, batchUtterances: 24, sources: [{ data: 'said' }] }],
  sources: [{ data: 'words' }],
});

type Trained = TrainResult & { readonly events: TrainEvent[]; readonly bytes: Buffer };

async function run(config: TrainConfig, change: Partial<TrainOptions> = {}): Promise<Trained> {
  const events: TrainEvent[] = [];
  const result = await train({
    ...{ config, sources, folder: change.folder ?? (await newFolder()), resume: false, isStopped: () => false },
    report: (event) => events.push(event),
    ...change,
  });
  return { ...result, events, bytes: Buffer.from(result.weights ? encodeWeights(result.weights, 'F32') : []) };
}
const stopAt = (n: number): (() => boolean) => {
  let asked = 0;
  return () => ++asked === n;
};
const valuesOf = ({ weights }: TrainResult, name: string): Float32Array => weights!.values.get(name)!;

let straight: Trained;
beforeAll(async () => {
  await startTensorBackend('wasm');
  const words = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 8, dev: 8 })));
  sources = new Map([
    ['words', { kind: 'dataset', dataset: words }],
    ['said', { kind: 'texts', corpus: wordCorpus('said', { train: 24, dev: 8 }) }],
  ]);
  straight = await run(CONFIG);
}, 60_000);

describe('train, with several members', () => {
  it('pre-trains once and trains the dialogues once for each member, and says which member an epoch is of.', () => {
    const epochs = straight.events.flatMap((event) =>
      event.type === 'epoch' ? [[event.stage, event.epoch, 'member' in event ? event.member : undefined]] : [],
    );
    const ofMember = (member: number): unknown[] => [1, 2].map((epoch) => ['dialogues', epoch, member]);
    expect(epochs).toEqual([['words', 1, undefined], ...ofMember(1), ...ofMember(2), ...ofMember(3)]);
  });

  it('keeps the mean of what the seeds one after the other give from the same start.', async () => {
    const handed: Uint8Array[] = []; // written at once: training goes on in the same arrays
    await run(
      { ...CONFIG, members: 1 },
      { pretrained: (weights) => Promise.resolve(void handed.push(encodeWeights(weights, 'F32'))) },
    );
    const start = decodeWeights(handed[0]!);
    const alone: Trained[] = [];
    for (const seed of [4, 5, 6]) alone.push(await run({ ...CONFIG, members: 1, seed }, { start }));
    for (const name of ['text.word', 'head.out.w', 'acn.0.text.q', 'prosody.project.b']) {
      const [a, b, c] = alone.map((one) => valuesOf(one, name)) as [Float32Array, Float32Array, Float32Array];
      expect(a).not.toEqual(b);
      valuesOf(straight, name).forEach((value, i) => expect(value).toBeCloseTo((a[i]! + b[i]! + c[i]!) / 3, 6));
    }
  });

  it('calibrates the mean, and gives the figures of the mean.', async () => {
    const again = await run(CONFIG);
    expect(again.bytes.equals(straight.bytes)).toBe(true);
    expect(straight.weights!.provenance.dev['weightedF1Now']).toBeGreaterThan(0);
    expect(straight.weights!.config.temperature).not.toBe(
      (await run({ ...CONFIG, members: 1 })).weights!.config.temperature,
    );
  });

  it.each([1, 2, 4, 5, 7, 9, 11, 13])(
    'gives the same bytes when it was stopped after batch %i of 13.',
    async (batch) => {
      const folder = await newFolder();
      expect((await run(CONFIG, { folder, isStopped: stopAt(batch) })).weights).toBeUndefined();
      expect((await run(CONFIG, { folder, resume: true })).bytes.equals(straight.bytes)).toBe(true);
    },
  );

  it('needs no further batch for what was done, and stands where it ended.', async () => {
    const folder = await newFolder();
    const first = await run(CONFIG, { folder });
    const again = await run(CONFIG, { folder, resume: true });
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect(again.events).toEqual([]);
    expect([again.bestEpoch, again.epochs]).toEqual([first.bestEpoch, 2]);
  });

  it('is another training with more members: what was begun with three is not resumed with two.', async () => {
    const folder = await newFolder();
    await run(CONFIG, { folder, isStopped: stopAt(7) });
    await expect(run({ ...CONFIG, members: 2 }, { folder, resume: true })).rejects.toMatchObject({
      code: 'BAD_CHECKPOINT',
    });
    await expect(readCheckpoint(folder, 'another run')).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
  });
});
