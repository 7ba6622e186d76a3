import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeWeights } from '../../src/model/weights.ts';
import { type CommandOutcome, type FakeTerminal, fakeTerminal, runCommand } from '../support/terminal.ts';
import {
  createFolders,
  TINY_CONFIG,
  type TinyDataset,
  wordCorpus,
  wordDataset,
  writeDataset,
} from '../support/tinyDataset.ts';

const newFolder = createFolders();
const STAGED = {
  ...TINY_CONFIG,
  pretraining: [{ name: 'words', mode: 'text', epochs: 2, batchUtterances: 10, sources: [{ data: 'said' }] }],
  sources: [{ data: 'words' }],
};
const SET = wordDataset({ train: 8, dev: 3 });

/** A folder with a configuration and a dataset; `undertone train` on them. */
async function prepare(config: unknown = TINY_CONFIG, set: TinyDataset = SET) {
  const folder = await newFolder();
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  await writeDataset(join(folder, 'data'), set);
  const out = join(folder, 'out');
  const argv = [
    'train',
    '--config',
    join(folder, 'config.json'),
    '--data',
    join(folder, 'data'),
    '--out',
    out,
    '--backend',
    'wasm',
  ];
  const train = (more: readonly string[] = [], terminal?: FakeTerminal): Promise<CommandOutcome> =>
    runCommand([...argv, ...more], terminal);
  return { folder, out, train };
}

const lines = ({ out }: CommandOutcome): Record<string, unknown>[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const weightsIn = (out: string): Promise<Buffer> => readFile(join(out, 'weights.safetensors'));

describe('undertone train', () => {
  it('writes one JSON line per epoch and one for the weights, and weights that can be read.', async () => {
    const { out, train } = await prepare();
    const outcome = await train();
    expect(outcome).toMatchObject({ status: 0, failures: [] });
    const [first, second, third, last, ...more] = lines(outcome);
    const epoch = (n: number): object => ({
      type: 'epoch',
      stage: 'dialogues',
      epoch: n,
      loss: expect.any(Number),
      dev: { now: expect.any(Number), whole: expect.any(Number) },
      isBest: expect.any(Boolean),
      seconds: expect.any(Number),
    });
    expect([first, second, third]).toEqual([epoch(1), epoch(2), epoch(3)]);
    expect(last).toMatchObject({ type: 'weights', path: join(out, 'weights.safetensors') });
    expect(more).toEqual([]);
    expect((await readdir(out)).sort()).toEqual(['checkpoint.safetensors', 'weights.safetensors']);
    const { provenance } = decodeWeights(await weightsIn(out));
    expect(provenance).toMatchObject({ name: 'tiny', seed: 7, dev: last!['dev'] });
  });

  it('trains in stages on several folders: JSON lines name the stage, and pre-trained weights can be gone on from.', async () => {
    const { folder, out, train } = await prepare(STAGED);
    const texts = await writeTexts(join(folder, 'texts'));
    const outcome = await train(['--data', join(folder, 'data'), texts]);
    expect(outcome).toMatchObject({ status: 0, failures: [] });
    expect(outcome.err).toContain('training tiny (seed 7) on words, said, wasm backend\n');
    const [words, ...rest] = lines(outcome);
    expect(words).toMatchObject({ type: 'epoch', stage: 'words', epoch: 1, dev: { said: expect.any(Number) } });
    expect(rest.map(({ stage }) => stage)).toEqual(['words', 'dialogues', 'dialogues', 'dialogues', undefined]);
    const files = ['checkpoint.safetensors', 'pretrained.safetensors', 'weights.safetensors'];
    expect((await readdir(out)).sort()).toEqual(files);
    expect(outcome.err + outcome.out).not.toMatch(/lovely|awful|Ada|Ben/);
    const again = join(folder, 'again');
    const pretrained = join(out, 'pretrained.safetensors');
    const continued = await train(['--data', join(folder, 'data'), texts, '--out', again, '--start', pretrained]);
    expect(lines(continued).map(({ stage }) => stage)).toEqual(['dialogues', 'dialogues', 'dialogues', undefined]);
    expect((await weightsIn(again)).equals(await weightsIn(out))).toBe(true);
  });

  it('cross-validates over folds: one line for each and one for all, weights of each in a folder, as of a run by hand.', async () => {
    const set = wordDataset({ fold0: 3, fold1: 3, fold2: 3 });
    const { folder, out, train } = await prepare({ ...TINY_CONFIG, epochs: 1 }, set);
    const outcome = await train(['--folds']);
    expect(outcome).toMatchObject({ status: 0, failures: [] });
    const results = lines(outcome).filter(({ type }) => type !== 'epoch');
    expect(results.map(({ type, held, dev, train: trained }) => [type, held, dev, trained])).toEqual([
      ['fold', 'fold0', 'fold1', ['fold2']],
      ['fold', 'fold1', 'fold2', ['fold0']],
      ['fold', 'fold2', 'fold0', ['fold1']],
      ['pooled', undefined, undefined, undefined],
    ]);
    const counts = results.map(({ rows }) => (rows as { utterances: number }[]).map(({ utterances }) => utterances));
    expect(counts).toEqual([[12, 12], [12, 12], [12, 12], [36, 36]]); // prettier-ignore
    expect(JSON.parse(await readFile(join(out, 'folds.json'), 'utf8'))).toEqual(results.at(-1));
    expect((await readdir(out)).sort()).toEqual(['fold0', 'fold1', 'fold2', 'folds.json']);
    const by = { ...TINY_CONFIG, epochs: 1, sources: [{ data: 'words', splits: ['fold2'], dev: ['fold1'] }] };
    await writeFile(join(folder, 'hand.json'), JSON.stringify(by));
    await train(['--config', join(folder, 'hand.json'), '--out', join(folder, 'hand')]);
    expect((await weightsIn(join(out, 'fold0'))).equals(await weightsIn(join(folder, 'hand')))).toBe(true);
  });

  it('names the data that a configuration needs and was not given.', async () => {
    const { folder, train } = await prepare(STAGED);
    const outcome = await train(['--data', join(folder, 'data')]);
    expect(outcome).toMatchObject({ status: 2, out: '' });
    expect(outcome.failures).toEqual([expect.stringMatching(/BAD_DATASET: .*uses "said", .* \(words\)$/)]);
  });

  it('writes its progress every 16 batches: stage, epoch, batch, loss, and how many minutes the stage has left.', async () => {
    const { train } = await prepare(
      { ...TINY_CONFIG, epochs: 2, batchDialogues: 1 },
      wordDataset({ train: 32, dev: 2 }),
    );
    const { err } = await train();
    const progress = err.split('\n').filter((line) => line.includes('batch'));
    const steps = ['1/2 batch 16/32', '1/2 batch 32/32', '2/2 batch 16/32', '2/2 batch 32/32'];
    expect(progress).toHaveLength(steps.length);
    for (const [i, step] of steps.entries()) {
      expect(progress[i]).toContain(`dialogues epoch ${step} loss `);
      expect(progress[i]).toMatch(/ loss \d+\.\d{3} at most \d+\.\d min left$/);
    }
    expect(progress.at(-1)).toContain('at most 0.0 min left');
  });

  it('rewrites one line of progress after every batch on a terminal.', async () => {
    const { train } = await prepare({ ...TINY_CONFIG, epochs: 1 });
    const terminal = fakeTerminal();
    Object.assign(terminal.err, { isTTY: true });
    const { err } = await train([], terminal);
    expect(
      err
        .split('\r')
        .slice(1)
        .map((line) => /batch \d\/\d/.exec(line)?.[0]),
    ).toEqual(['batch 1/2', 'batch 2/2']);
  });

  it('says on standard error what is trained, on which data, by which backend, and nothing that was said.', async () => {
    const { err, out } = await (await prepare()).train(['--backend', 'cpu']);
    expect(err).toContain('training tiny (seed 7) on words, cpu backend\n');
    expect(err + out).not.toMatch(/lovely|awful|Ada|Ben/);
  });

  it('takes the seed of --seed instead of the configuration; equal seeds give equal files.', async () => {
    const runs = await Promise.all([
      prepare(),
      prepare({ ...TINY_CONFIG, seed: 9 }),
      prepare({ ...TINY_CONFIG, seed: 9 }),
    ]);
    const files: Buffer[] = [];
    for (const [i, { train, out }] of runs.entries()) {
      expect((await train(i === 0 ? ['--seed', '9'] : i === 2 ? ['--seed', '10'] : [])).status).toBe(0);
      files.push(await weightsIn(out));
    }
    expect(files[0]!.equals(files[1]!)).toBe(true);
    expect(files[0]!.equals(files[2]!)).toBe(false);
    expect(decodeWeights(files[2]!).provenance.seed).toBe(10);
  });

  it('ends with 130 on Ctrl-C, keeps the last whole epoch, and --resume ends as if nothing had been.', async () => {
    const straight = await prepare();
    await straight.train();
    const { out, train } = await prepare();
    const terminal: FakeTerminal = fakeTerminal({}, (line) => line.includes('"epoch":2') && terminal.interrupt());
    const stopped = await train([], terminal);
    expect(stopped.status).toBe(130);
    expect(stopped.err).toContain('stopped; --resume continues from the last whole epoch');
    expect(lines(stopped).map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(await readdir(out)).toEqual(['checkpoint.safetensors']);
    const resumed = await train(['--resume']);
    expect(resumed.status).toBe(0);
    expect(lines(resumed).map(({ type, epoch }) => [type, epoch])).toEqual([
      ['epoch', 3],
      ['weights', undefined],
    ]);
    expect((await weightsIn(out)).equals(await weightsIn(straight.out))).toBe(true);
  });

  it('stops after one batch when it was interrupted before it began; --resume then begins at the beginning.', async () => {
    const { out, train } = await prepare();
    const terminal = fakeTerminal();
    terminal.interrupt();
    expect(await train([], terminal)).toMatchObject({ status: 130, out: '' });
    expect(await readdir(out)).toEqual([]);
    expect(lines(await train(['--resume'])).map(({ epoch }) => epoch)).toEqual([1, 2, 3, undefined]);
  });

  it('refuses to resume a damaged checkpoint, or one of another configuration, and leaves it as it is.', async () => {
    const { out, train } = await prepare();
    await train();
    const path = join(out, 'checkpoint.safetensors');
    const whole = await readFile(path);
    const other = await train(['--resume', '--seed', '8']);
    expect(other).toMatchObject({ status: 2, out: '' });
    expect(other.failures).toEqual([expect.stringMatching(/^undertone: BAD_CHECKPOINT: .*another configuration/)]);
    await writeFile(path, whole.subarray(0, 99));
    const damaged = await train(['--resume']);
    expect(damaged.failures).toEqual([expect.stringMatching(/^undertone: BAD_CHECKPOINT: .*damaged/)]);
    expect((await readFile(path)).length).toBe(99);
  });

  const MISLABELLED: TinyDataset = { ...SET, labels: ['cross', 'calm'] };
  const NO_DEV = wordDataset({ train: 2 });
  it.each([
    ['a configuration that is not JSON', '{', SET, /BAD_CONFIG: .*config\.json is not JSON/],
    ['a configuration that is a list', '[]', SET, /BAD_CONFIG: .*format: /],
    ['an unknown field', { ...TINY_CONFIG, epoch: 3 }, SET, /BAD_CONFIG: .*"epoch"/],
    ['a feature that the dataset lacks', { ...TINY_CONFIG, inputs: [AUDIO('au35')] }, SET, /BAD_DATASET: .*"au35"/],
    ['a label outside the label set', TINY_CONFIG, MISLABELLED, /BAD_DATASET: .*meta\.json: .*train\d\/0 has a label/],
    ['a dataset without dev', TINY_CONFIG, NO_DEV, /BAD_DATASET: .*no split "dev"/],
  ])('refuses %s in one line with status 2, and writes no file.', async (_, config, set, rule) => {
    const { out, train } = await prepare(config, set);
    const outcome = await train();
    expect(outcome).toMatchObject({ status: 2, out: '', failures: [expect.stringMatching(rule)] });
    expect(await readdir(out).catch(() => [])).toEqual([]);
  });

  it('names every problem of a configuration in one go.', async () => {
    const { train } = await prepare({ ...TINY_CONFIG, epochs: 0, dropout: 3, masks: { subset: -1 } });
    for (const path of ['epochs: ', 'dropout: ', 'masks.subset: ']) expect((await train()).failures[0]).toContain(path);
  });

  it('names a configuration or dataset that is not there.', async () => {
    const { folder, train } = await prepare();
    const config = await train(['--config', join(folder, 'nothing.json')]);
    expect(config.failures).toEqual([expect.stringMatching(/FILE_NOT_FOUND: .*nothing\.json/)]);
    const data = await train(['--data', join(folder, 'nowhere')]);
    expect(data.failures).toEqual([expect.stringMatching(/FILE_NOT_FOUND: .*nowhere cannot be read/)]);
    await mkdir(join(folder, 'empty'));
    const empty = await train(['--data', join(folder, 'empty')]);
    expect(empty.failures).toEqual([expect.stringMatching(/BAD_DATASET: .*empty: it holds no dataset/)]);
    expect([config.status, data.status, empty.status]).toEqual([2, 2, 2]);
  });

  it('says OUTPUT_FAILED when the folder, the checkpoint or the weights cannot be written.', async () => {
    const { folder, out, train } = await prepare();
    const inFile = await train(['--out', join(folder, 'config.json', 'out')]);
    expect(inFile.failures).toEqual([expect.stringMatching(/OUTPUT_FAILED: .*the folder cannot be made/)]);
    await mkdir(join(out, 'weights.safetensors'), { recursive: true });
    const weights = await train();
    expect(weights.failures).toEqual([
      expect.stringMatching(/OUTPUT_FAILED: .*weights\.safetensors cannot be written/),
    ]);
    await mkdir(join(out, 'checkpoint.safetensors.part'));
    const checkpoint = await train();
    expect(checkpoint.failures).toEqual([expect.stringMatching(/OUTPUT_FAILED: .*checkpoint\.safetensors cannot be/)]);
    expect([inFile.status, weights.status, checkpoint.status]).toEqual([2, 2, 2]);
  });

  it.each([[['--seed', '-1']], [['--seed', 'x']], [['--backend', 'gpu']], [['--epochs', '3']]])(
    'refuses the options %j without reading anything.',
    async (options) => {
      const { out, train } = await prepare();
      expect((await train(options)).status).toBe(2);
      expect(await readdir(out).catch(() => 'not made')).toBe('not made');
    },
  );
});

/** A text corpus `said`, as a file of the research data is. */
async function writeTexts(folder: string): Promise<string> {
  await mkdir(folder);
  const { rows } = wordCorpus('said', { train: 30, dev: 10 });
  const toLine = ({ text, split, target }: (typeof rows)[0]): string =>
    JSON.stringify({ text, split, source_label: target[0] === 1 ? 'cross' : ['glad', 'glad'] });
  await writeFile(join(folder, 'said.jsonl.gz'), gzipSync(rows.map(toLine).join('\n')));
  return folder;
}

function AUDIO(feature: string): object {
  return { name: 'prosody', modality: 'audio', kind: 'vector', feature, tokens: 1 };
}
