import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../src/training/dataset.ts';
import { voiceLike, writeBytes, writeMeta, writeWav } from '../../support/mediaDataset.ts';
import { writeClip, writeIemocap, writeMeld } from '../../support/releases.ts';
import { fakeTerminal, runCommand, type CommandOutcome, type FakeTerminal } from '../../support/terminal.ts';
import { createFolders, EVERY_KIND, writeDataset } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

/** Runs `undertone dataset …` into a new folder; `out` is where the dataset comes to lie. */
async function run(
  argv: readonly string[],
  terminal?: FakeTerminal,
): Promise<CommandOutcome & { out: string; json: unknown; folder: string }> {
  const parent = await newFolder();
  const folder = join(parent, 'made', 'set');
  const outcome = await runCommand(['dataset', ...argv, '--out', folder, '--cache', join(parent, 'cache')], terminal);
  return { ...outcome, folder, json: outcome.out === '' ? undefined : JSON.parse(outcome.out) };
}

async function twoFiles(): Promise<string> {
  const root = await newFolder();
  for (const name of ['a.wav', 'b.wav']) await writeWav(root, name, voiceLike(0.4));
  await writeBytes(root, 'labels.csv', 'file,label,text\r\na.wav,calm,secret\r\nb.wav,glad,secret\r\n');
  return root;
}

const nothingAt = async (path: string): Promise<string[]> => {
  const found = await readdir(join(path, '..')).catch(() => []);
  return found;
};

describe('undertone dataset meld', () => {
  it('writes text, times, labels and the features of the clips; what is missing or broken is masked and named.', async () => {
    const root = await writeMeld(await newFolder());
    await rm(join(root, 'train_splits/dia0_utt1.mp4'));
    await writeClip(root, 'train_splits/dia3_utt0.mp4', 0.4, 4_000);
    const { status, err, json, folder } = await run(['meld', '--root', root]);
    expect(status).toBe(0);
    expect(json).toEqual({
      type: 'dataset',
      path: folder,
      name: 'meld',
      ...{ dialogues: 4, utterances: 5, labelled: 5, problems: 2 },
      features: { prosody8: 3, segments: 3 },
    });
    expect(err).toContain('train_splits/dia0_utt1.mp4: there is no such file');
    expect(err).toMatch(/train_splits\/dia3_utt0\.mp4: .*breaks off/);
    expect(err).toContain('face and body were not extracted');
    expect(err).not.toMatch(/right|mine|Ross/);
    const dataset = await readDataset(folder);
    expect(dataset.dialogues[0]!.utterances[1]).toMatchObject({
      text: 'I know, "right"?',
      label: 4,
      start: '00:16:16,059',
    });
    const seconds = [0, 1, 2, 3, 4].map((u) => dataset.features.get('prosody8')!.rowsOf(u)?.[0]);
    expect(seconds).toEqual([expect.closeTo(0.4), undefined, undefined, expect.closeTo(0.4), expect.closeTo(0.6)]);
    expect(await nothingAt(folder)).toEqual(['set']);
  });

  it('refuses a link that leads out of the release.', async () => {
    const root = await writeMeld(await newFolder());
    const elsewhere = await newFolder();
    await writeClip(elsewhere, 'dia0_utt0.mp4');
    await rm(join(root, 'train_splits'), { recursive: true });
    await symlink(elsewhere, join(root, 'train_splits'));
    const { status, failures, folder } = await run(['meld', '--root', root]);
    expect([status, failures]).toEqual([2, [expect.stringMatching(/BAD_DATASET: .*dia0_utt0\.mp4: a symbolic link/)]]);
    expect(await nothingAt(folder)).toEqual([]);
  });
});

describe('undertone dataset iemocap', () => {
  it('writes folds, six labels and the features of the clips, which times of the dialogue do not cut.', async () => {
    const lines = [
      { id: 'F000', start: '006.2000', end: '006.7000', code: 'hap', text: 'secret' },
      { id: 'M000', start: '007.0000', end: '007.4000', code: 'oth', text: 'secret' },
    ];
    const root = await writeIemocap(await newFolder(), 1, 'Ses01F_impro01', lines);
    await writeIemocap(root, 4, 'Ses04M_script02_1', lines);
    await rm(join(root, 'Session4/sentences/wav/Ses04M_script02_1/Ses04M_script02_1_M000.wav'));
    const { status, err, json, folder } = await run(['iemocap', '--root', root]);
    expect([status, json]).toMatchObject([0, { utterances: 4, labelled: 2, problems: 1, features: { segments: 3 } }]);
    expect(err).toMatch(/Session2 and 2 more: it is not there/);
    expect(err).not.toContain('secret');
    const dataset = await readDataset(folder);
    expect(dataset.dialogues.map(({ split }) => split)).toEqual(['fold0', 'fold3']);
    const seconds = [0, 1, 2, 3].map((u) => dataset.features.get('prosody8')!.rowsOf(u)?.[0]);
    expect(seconds).toEqual([expect.closeTo(0.5), expect.closeTo(0.4), expect.closeTo(0.5), undefined]);
    expect(dataset.dialogues[0]!.utterances[0]!.media!.video).toBe('Session1/dialog/avi/DivX/Ses01F_impro01.avi');
  });
});

describe('undertone dataset extract', () => {
  it('makes a dataset of media and labels.csv.', async () => {
    const { status, err, json, folder } = await run(['extract', '--data', await twoFiles()]);
    expect([status, json]).toMatchObject([0, { utterances: 2, labelled: 2, features: { prosody8: 2, segments: 2 } }]);
    expect(err).not.toMatch(/secret|face/);
    expect((await readDataset(folder)).labels).toEqual(['calm', 'glad']);
  });

  it('adds to a dataset in format 1 what its media give, and keeps the features it has.', async () => {
    const data = await writeDataset(await newFolder(), { ...EVERY_KIND, name: 'kept' });
    const meta = JSON.parse(await readFile(join(data, 'meta.json'), 'utf8'));
    delete meta.features.segments;
    meta.features.au = { ...meta.features.prosody, modality: 'face' };
    delete meta.features.prosody;
    meta.dialogues[0].utterances[0].media = { audio: 'x/a.wav' };
    await writeFile(join(data, 'meta.json'), JSON.stringify(meta));
    const media = await newFolder();
    await writeWav(media, 'x/a.wav', voiceLike(0.5));
    const { json, folder } = await run(['extract', '--data', data, '--media', media]);
    expect(json).toMatchObject({ name: 'kept', problems: 0, features: { au: 3, prosody8: 1, segments: 1 } });
    const { features, dialogues } = await readDataset(folder);
    expect([0, 1, 2].map((u) => features.get('au')!.rowsOf(u)?.[0])).toEqual([1, undefined, 5]);
    expect(features.get('segments')!.rowsOf(0)).toHaveLength(5 * 32);
    expect(dialogues.flatMap(({ utterances }) => utterances.map(({ text }) => text))).toEqual(
      EVERY_KIND.dialogues.flatMap(({ utterances }) => utterances.map(({ text }) => text)),
    );
  });

  it('makes a dataset without features of labels whose media are all missing, unless it is strict.', async () => {
    const root = await newFolder();
    await writeBytes(root, 'labels.csv', 'file,label\na.wav,calm\nb.wav,glad\n');
    const loose = await run(['extract', '--data', root]);
    expect(loose.json).toMatchObject({ problems: 2, features: { prosody8: 0, segments: 0 } });
    expect(loose.err).toContain('a.wav and 1 more: there is no such file');
    const strict = await run(['extract', '--data', root, '--strict']);
    expect(strict.failures).toEqual([expect.stringMatching(/BAD_DATASET: .*a\.wav: there is no such file/)]);
    expect([strict.status, await nothingAt(strict.folder)]).toEqual([2, []]);
  });

  it('ends with 130 on Ctrl-C, writes nothing, and the same command then measures only the rest.', async () => {
    const root = await twoFiles();
    const parent = await newFolder();
    const argv = ['dataset', 'extract', '--data', root, '--out', join(parent, 'set'), '--cache', join(parent, 'cache')];
    const terminal: FakeTerminal = fakeTerminal();
    const write = terminal.err.write.bind(terminal.err);
    const err = {
      ...terminal.err,
      write: (text: string) => (text.startsWith('measuring') && terminal.interrupt(), write(text)),
    };
    const stopped = await runCommand(argv, { ...terminal, err });
    expect([stopped.status, stopped.out]).toEqual([130, '']);
    expect(stopped.err).toContain('nothing is written');
    expect(await readdir(parent)).toEqual(['cache']);
    const again = await runCommand(argv);
    expect(again.status).toBe(0);
    expect(again.err).toMatch(/^measuring 100 % · 2 of 2/m);
    expect(again.err).not.toMatch(/^measuring 50 %/m);
  });

  it('refuses an --out that is there, before it measures anything, and leaves it as it is.', async () => {
    const root = await twoFiles();
    const outcome = await runCommand(['dataset', 'extract', '--data', root, '--out', root, '--cache', join(root, 'c')]);
    expect(outcome.failures).toEqual([expect.stringMatching(/OUTPUT_FAILED: .*it is there already/)]);
    expect((await readdir(root)).sort()).toEqual(['a.wav', 'b.wav', 'labels.csv']);
  });

  it('says OUTPUT_FAILED, and leaves nothing, where the dataset cannot be written.', async () => {
    const root = await twoFiles();
    const parent = await newFolder();
    const out = join(root, 'a.wav', 'set');
    const outcome = await runCommand([
      'dataset',
      'extract',
      '--data',
      root,
      '--out',
      out,
      '--cache',
      join(parent, 'c'),
    ]);
    expect([outcome.status, outcome.failures]).toEqual([2, [expect.stringMatching(/^undertone: OUTPUT_FAILED: /)]]);
  });

  it.each([
    ['a folder that is not there', async () => join(await newFolder(), 'none'), /FILE_NOT_FOUND/],
    ['a folder without a description', async () => newFolder(), /BAD_DATASET: .*neither meta\.json nor labels\.csv/],
    [
      'a path that leaves the folder',
      async () => writeMeta(await newFolder(), [[{ id: '0', media: { audio: '../a.wav' } }]]),
      /BAD_DATASET: .*d0\/0: the path of its media leaves the folder/,
    ],
    [
      'a bad row',
      async () => {
        const root = await twoFiles();
        await writeBytes(root, 'labels.csv', 'file,label\na.wav,calm\n"b.wav,glad');
        return root;
      },
      /BAD_DATASET: .*labels\.csv: after line 2: it is not CSV/,
    ],
  ])('refuses %s with one line and status 2, and writes nothing.', async (_, make, rule) => {
    const { status, failures, folder } = await run(['extract', '--data', await make()]);
    expect([status, failures]).toEqual([2, [expect.stringMatching(rule)]]);
    expect(await nothingAt(folder)).toEqual([]);
  });

  it.each([
    [['meld', '--out', 'x']],
    [['iemocap', '--root', 'x']],
    [['extract', '--root', 'x', '--out', 'y']],
    [['emodb', '--root', 'x', '--out', 'y']],
  ])('refuses the command line %j.', async (argv) => {
    const { status, failures } = await runCommand(['dataset', ...argv]);
    expect([status, failures]).toEqual([2, [expect.stringMatching(/^undertone: BAD_OPTION: /)]]);
  });

  it('shows its help when asked for, and refuses to guess what is meant without a source.', async () => {
    const help = await runCommand(['dataset', '--help']);
    expect([help.status, help.out]).toEqual([0, expect.stringMatching(/meld[^]*iemocap[^]*extract/)]);
    expect((await runCommand(['dataset'])).status).toBe(2);
  });

  it('leaves a temporary folder of another process alone.', async () => {
    const root = await twoFiles();
    const parent = await newFolder();
    await mkdir(join(parent, '.set.1.tmp'));
    const argv = ['dataset', 'extract', '--data', root, '--out', join(parent, 'set'), '--cache', join(parent, 'cache')];
    expect((await runCommand(argv)).status).toBe(0);
    expect((await readdir(parent)).sort()).toEqual(['.set.1.tmp', 'cache', 'set']);
  });
});
