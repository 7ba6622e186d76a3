import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTextDialogues } from '../../../src/training/corpora/textDialogues.ts';
import type { Dataset } from '../../../src/training/dataset.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();
const LABELS = ['neutral', 'joy', 'anger'];

async function read(rows: readonly object[]): Promise<Dataset> {
  const path = join(await newFolder(), 'talk.jsonl.gz');
  await writeFile(path, gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')));
  return readTextDialogues(path, LABELS);
}
const turn = (dialogue: string, at: number, more: object = {}): object => ({
  ...{ text: `${dialogue} ${at}`, split: 'train', dialogue, turn: at, speaker: 'A', label: 'joy' },
  ...more,
});

describe('readTextDialogues', () => {
  it('gathers rows into dialogues by name and orders them by turn, wherever they stand in the file.', async () => {
    const set = await read([turn('x', 2), turn('y', 0), turn('x', 0, { speaker: 'B', label: 'anger' }), turn('x', 10)]);
    expect(set).toMatchObject({ name: 'talk:dialogues', labels: LABELS });
    expect(set.features.size).toBe(0);
    const said = set.dialogues.map(({ id, utterances }) => [id, utterances.map(({ text }) => text)]);
    expect(said).toEqual([
      ['train/x', ['x 0', 'x 2', 'x 10']],
      ['train/y', ['y 0']],
    ]);
    expect(set.dialogues[0]?.utterances.map(({ id, speaker, label }) => [id, speaker, label])).toEqual([
      ['0', 'B', 2],
      ['1', 'A', 1],
      ['2', 'A', 1],
    ]);
    const indices = set.dialogues.flatMap(({ utterances }) => utterances.map(({ index }) => index));
    expect(indices).toEqual([0, 1, 2, 3]);
  });

  it('keeps dialogues of equal names in different splits apart.', async () => {
    const { dialogues } = await read([turn('x', 0), turn('x', 1, { split: 'dev' })]);
    expect(dialogues.map(({ id, split, utterances }) => [id, split, utterances.length])).toEqual([
      ['train/x', 'train', 1],
      ['dev/x', 'dev', 1],
    ]);
  });

  it('makes a dialogue of its own of every row that names none.', async () => {
    const { dialogues } = await read([
      { text: 'a', split: 'train' },
      turn('x', 0),
      { text: 'b', split: 'dev', dialogue: null },
    ]);
    expect(dialogues.map(({ split, utterances }) => [split, utterances.map(({ text }) => text)])).toEqual([
      ['train', ['a']],
      ['train', ['x 0']],
      ['dev', ['b']],
    ]);
    expect(new Set(dialogues.map(({ id }) => id)).size).toBe(3);
    expect(dialogues[0]?.utterances[0]).toMatchObject({ speaker: 'unknown', label: undefined });
  });

  it.each<[string, unknown, number | undefined]>([
    ['the only one of a list', ['anger'], 2],
    ['several', ['anger', 'joy'], undefined],
    ['none', null, undefined],
    ['an empty list', [], undefined],
    ['one outside the label set', 'surprise', undefined],
  ])('keeps a row whose label is %s as context, labelled where that is clear.', async (_, label, expected) => {
    const { dialogues } = await read([turn('x', 0), turn('x', 1, { label })]);
    expect(dialogues[0]?.utterances.map((u) => u.label)).toEqual([1, expected]);
  });

  it('refuses a row without text or split by its line, and shows nothing of it.', async () => {
    const refused = read([turn('x', 0), { text: 'a secret' }]);
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_DATASET',
      message: 'text corpus: talk.jsonl.gz: line 2: it needs "text" and "split"',
    });
  });
});
