import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataset, type Dataset } from '../../src/training/dataset.ts';
import { createFolders, EVERY_KIND, type TinyDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const counts = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);

type Meta = {
  format: number;
  labels: string[];
  features: Record<string, Record<string, unknown>>;
  dialogues: { utterances: Record<string, unknown>[] }[];
};

/** Writes the dataset, changes something in its folder, and reads it. */
async function readAfter(change: (folder: string) => Promise<unknown>): Promise<unknown> {
  const folder = await writeDataset(join(await newFolder(), 'set'), EVERY_KIND);
  await change(folder);
  return readDataset(folder);
}

const put =
  (file: string, bytes: Uint8Array | string) =>
  (folder: string): Promise<void> =>
    writeFile(join(folder, file), bytes);

const changeMeta =
  (change: (meta: Meta) => void) =>
  async (folder: string): Promise<void> => {
    const meta = JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8')) as Meta;
    change(meta);
    await writeFile(join(folder, 'meta.json'), JSON.stringify(meta));
  };
const fileOf = (file: string): ReturnType<typeof changeMeta> =>
  changeMeta((meta) => (meta.features['prosody']!['file'] = file));

describe('readDataset', () => {
  it('numbers utterances through all dialogues and turns labels into positions.', async () => {
    const { name, labels, dialogues } = await readDataset(await writeDataset(await newFolder(), EVERY_KIND));
    expect([name, labels]).toEqual(['every-kind', ['calm', 'glad']]);
    expect(dialogues.map(({ id, split }) => [id, split])).toEqual([
      ['a', 'train'],
      ['b', 'dev'],
    ]);
    expect(dialogues.flatMap((dialogue) => dialogue.utterances)).toEqual([
      { index: 0, id: '0', speaker: 'Ada', label: 1, text: 'Good day!' },
      { index: 1, id: '1', speaker: 'Ben', label: undefined, text: undefined },
      { index: 2, id: '0', speaker: 'Ada', label: 0, text: 'Good night.' },
      { index: 3, id: '1', speaker: 'Ada', label: 1, text: undefined },
    ]);
  });

  it('gives the rows of vectors and sequences, and nothing where they are masked or empty.', async () => {
    const { features } = await readDataset(await writeDataset(await newFolder(), EVERY_KIND));
    const rows = (name: string): (number[] | undefined)[] =>
      [0, 1, 2, 3].map((u) => {
        const own = features.get(name)?.rowsOf(u);
        return own && [...own];
      });
    expect(rows('prosody')).toEqual([[1, 2], undefined, [5, 6], [7, 8]]);
    expect(rows('segments')).toEqual([[1, 2], undefined, [3], undefined]);
    expect(features.get('segments')).toMatchObject({ modality: 'audio', kind: 'sequence', dim: 1 });
  });

  it('takes every row as present when there is no mask, and never reads a masked one.', async () => {
    const folder = await writeDataset(await newFolder(), EVERY_KIND);
    await put('prosody.f32', floats(1, 2, NaN, Infinity, 5, 6, 7, 8))(folder);
    expect((await readDataset(folder)).features.get('prosody')?.rowsOf(1)).toBeUndefined();
    await put('prosody.f32', floats(1, 2, 3, 4, 5, 6, 7, 8))(folder);
    await changeMeta((meta) => delete meta.features['prosody']!['mask'])(folder);
    expect((await readDataset(folder)).features.get('prosody')?.rowsOf(1)).toEqual(Float32Array.of(3, 4));
  });

  it('allows what it does not know in the description.', async () => {
    const more = changeMeta((meta) => {
      meta.features['prosody']!['unit'] = 'Hz';
      meta.dialogues[0]!.utterances[0]!['intensity'] = 2;
    });
    await expect(readAfter(more)).resolves.toMatchObject({ name: 'every-kind' });
  });

  it('keeps columns, times, media and what the source called the label; media need not be there.', async () => {
    const media = { audio: 'deep/a.flac', video: '..b.mp4', clips: ['video'] };
    const more = changeMeta((meta) => {
      meta.features['prosody']!['columns'] = ['a', 'b'];
      Object.assign(meta.dialogues[0]!.utterances[0]!, { media, start: 0.5, end: '00:00:02', sourceLabel: 'hap' });
    });
    const { dialogues, features } = (await readAfter(more)) as Dataset;
    expect(features.get('prosody')!.columns).toEqual(['a', 'b']);
    expect(dialogues[0]!.utterances[0]).toMatchObject({ media, start: 0.5, end: '00:00:02', sourceLabel: 'hap' });
  });

  it.each(['../a.wav', '/a.wav', 'x/../../a.wav', '..', ''])(
    'refuses media that leave the folder: "%s".',
    async (path) => {
      for (const kind of ['audio', 'video']) {
        const outside = changeMeta((meta) => (meta.dialogues[1]!.utterances[0]!['media'] = { [kind]: path }));
        await expect(readAfter(outside)).rejects.toMatchObject({
          code: 'BAD_DATASET',
          message: 'dataset: meta.json: utterance b/0: the path of its media leaves the folder',
        });
      }
    },
  );

  it.each([
    ['start', -1],
    ['end', null],
    ['media', 'a.wav'],
    ['media', { clips: ['face'] }],
  ])('refuses an utterance whose "%s" is %j.', async (field, value) => {
    const odd = changeMeta((meta) => (meta.dialogues[0]!.utterances[0]![field] = value));
    const message = expect.stringMatching(new RegExp(`meta\\.json: dialogues\\.0\\.utterances\\.0\\.${field}`));
    await expect(readAfter(odd)).rejects.toMatchObject({ code: 'BAD_DATASET', message });
  });

  it('reads files in folders of the dataset, and through links that stay inside.', async () => {
    const deep = async (folder: string): Promise<void> => {
      await mkdir(join(folder, 'deep'));
      await rename(join(folder, 'prosody.f32'), join(folder, 'deep', 'p.f32'));
      await symlink(join(folder, 'deep', 'p.f32'), join(folder, '..p.f32'));
      await fileOf('..p.f32')(folder);
    };
    await expect(readAfter(deep)).resolves.toMatchObject({ name: 'every-kind' });
  });

  const broken: readonly [string, (folder: string) => Promise<unknown>, RegExp][] = [
    ['meta.json is missing', (f) => rm(join(f, 'meta.json')), /meta\.json: it cannot be read/],
    ['meta.json is not JSON', put('meta.json', '{"format": 1'), /meta\.json: it is not JSON/],
    ['meta.json is not UTF-8', put('meta.json', Uint8Array.of(0x7b, 0xff)), /meta\.json: it is not JSON/],
    ['meta.json is a list', put('meta.json', '[]'), /meta\.json: /],
    ['the format is another', changeMeta((m) => (m.format = 2)), /meta\.json: format: /],
    ['there is one label', changeMeta((m) => (m.labels = ['glad'])), /meta\.json: labels: /],
    ['a label occurs twice', changeMeta((m) => m.labels.push('glad')), /meta\.json: labels: a label occurs twice/],
    [
      'a label is outside',
      changeMeta((m) => (m.dialogues[1]!.utterances[1]!['label'] = 'sad')),
      /meta\.json: utterance b\/1 has a label outside "labels"/,
    ],
    [
      'a label is left out',
      changeMeta((m) => delete m.dialogues[1]!.utterances[1]!['label']),
      /meta\.json: dialogues\.1\.utterances\.1\.label: /,
    ],
    [
      'a modality is unknown',
      changeMeta((m) => (m.features['prosody']!['modality'] = 'smell')),
      /meta\.json: features\.prosody\.modality: /,
    ],
    ['a width is 0', changeMeta((m) => (m.features['prosody']!['dim'] = 0)), /meta\.json: features\.prosody\.dim: /],
    ['a feature file is missing', (f) => rm(join(f, 'prosody.f32')), /prosody\.f32: it cannot be read/],
    ['a feature file is a folder', fileOf('x/..'), /x\/\.\.: the path leaves/],
    [
      'a row is missing',
      put('prosody.f32', floats(1, 2, 3, 4, 5, 6)),
      /prosody\.f32: it has 24 bytes, not 4 rows of 2/,
    ],
    ['a file is cut off', put('prosody.f32', new Uint8Array(31)), /prosody\.f32: it has 31 bytes/],
    ['a row holds NaN', put('prosody.f32', floats(1, 2, 0, 0, NaN, 6, 7, 8)), /prosody\.f32: row 2 holds NaN/],
    ['a row holds infinity', put('segments.f32', floats(1, 2, -Infinity)), /segments\.f32: row 2 holds NaN or inf/],
    ['the mask is short', put('prosody.mask.u8', new Uint8Array(3)), /prosody\.mask\.u8: it has 3 bytes, .* 4 utt/],
    ['the mask holds a 2', put('prosody.mask.u8', Uint8Array.of(1, 0, 2, 1)), /prosody\.mask\.u8: row 2 is neither/],
    [
      'a sequence has no offsets',
      changeMeta((m) => delete m.features['segments']!['offsets']),
      /meta\.json: the sequence in segments\.f32 has no offsets/,
    ],
    [
      'an offset is missing',
      put('segments.offsets.u32', counts(0, 2, 2, 3)),
      /segments\.offsets\.u32: it has 16 bytes/,
    ],
    [
      'offsets go backwards',
      put('segments.offsets.u32', counts(0, 2, 1, 3, 3)),
      /segments\.offsets\.u32: offset 2 goes backwards/,
    ],
    [
      'offsets begin later',
      put('segments.offsets.u32', counts(1, 2, 2, 3, 3)),
      /segments\.offsets\.u32: the first offset is not 0/,
    ],
    [
      'offsets end later than the frames',
      put('segments.offsets.u32', counts(0, 2, 2, 3, 9)),
      /segments\.f32: it has 12 bytes, not 9 rows of 1/,
    ],
    ['a path leaves the folder', fileOf('../set/prosody.f32/../../x'), /the path leaves the dataset folder/],
    ['a path is the folder above', fileOf('..'), /the path leaves the dataset folder/],
    ['a path is absolute', fileOf('/etc/hostname'), /\/etc\/hostname: the path leaves the dataset folder/],
    [
      'a link leaves the folder',
      async (folder) => {
        await rename(join(folder, 'prosody.f32'), join(folder, '..', 'outside.f32'));
        await symlink(join(folder, '..', 'outside.f32'), join(folder, 'prosody.f32'));
      },
      /prosody\.f32: a symbolic link leaves the dataset folder/,
    ],
  ];
  it.each(broken)('stops with file and rule, and writes nothing, when %s.', async (_, change, rule) => {
    let folder = '';
    let before: string[] = [];
    const reading = readAfter(async (f) => {
      await change((folder = f));
      before = await readdir(folder);
    });
    await expect(reading).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
    expect(await readdir(folder)).toEqual(before);
  });

  it('never repeats what was said.', async () => {
    const said: TinyDataset = {
      ...EVERY_KIND,
      dialogues: [{ id: 'x', split: 'train', utterances: [{ id: '0', speaker: 'Zoe', label: 'sad', text: 'secret' }] }],
    };
    const error = await readDataset(await writeDataset(await newFolder(), said)).catch(String);
    expect(error).not.toMatch(/secret|Zoe/);
  });
});

const shared = process.env['UNDERTONE_SHARED'];

describe('readDataset on the research data', () => {
  if (shared === undefined) it.skip('skipped: the research data need UNDERTONE_SHARED.');
  else
    it.each([
      ['meld', 11_098, ['prosody8']],
      ['ravdess', 1_200, ['au35']],
      ['face-fer2013', 31_133, ['blendshapes']],
    ])('reads %s.', async (name, utterances, features) => {
      const dataset = await readDataset(join(shared, 'data', name));
      expect(dataset.dialogues.reduce((sum, dialogue) => sum + dialogue.utterances.length, 0)).toBe(utterances);
      expect([...dataset.features.keys()]).toEqual(expect.arrayContaining(features));
      expect(new Set(dataset.dialogues.map(({ split }) => split))).toEqual(new Set(['train', 'dev']));
    });
});
