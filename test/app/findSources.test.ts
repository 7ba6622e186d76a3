import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSources } from '../../src/app/findSources.ts';
import { createFolders } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const META = JSON.stringify({ format: 1, name: 'calls', labels: [] });

/** Writes files, by path below a new folder; returns the folder. */
async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await newFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
const found = async (...folders: string[]): Promise<[string, string, string][]> =>
  [...(await findSources(folders))].map(([name, { kind, path }]) => [name, kind, path]);

describe('findSources', () => {
  it('finds a dataset by its name and text corpora by their file names.', async () => {
    const calls = await tree({ 'meta.json': META, 'beside.jsonl': '' });
    const texts = await tree({ 'said.jsonl.gz': '', 'heard.jsonl': '', 'stats.json': '{}', 'README.md': '' });
    expect(await found(calls, texts)).toEqual([
      ['calls', 'dataset', calls],
      ['heard', 'texts', join(texts, 'heard.jsonl')],
      ['said', 'texts', join(texts, 'said.jsonl.gz')],
    ]);
  });

  it('looks into the folders of a folder, and no deeper.', async () => {
    const folder = await tree({
      'a/meta.json': META,
      'b/said.jsonl.gz': '',
      'c/d/meta.json': JSON.stringify({ format: 1, name: 'deep' }),
      'top.jsonl': '',
    });
    expect(await found(folder)).toEqual([
      ['calls', 'dataset', join(folder, 'a')],
      ['said', 'texts', join(folder, 'b', 'said.jsonl.gz')],
      ['top', 'texts', join(folder, 'top.jsonl')],
    ]);
  });

  it('knows motion capture by its sequences, and names a folder whose meta.json does not by the folder.', async () => {
    const folder = await tree({
      'moves/meta.json': JSON.stringify({ name: 'mocap', sequences: {} }),
      'nameless/meta.json': JSON.stringify({ format: 1, name: 7 }),
      'odd/meta.json': 'null',
      'torn/meta.json': '{"format": 1, "na',
    });
    expect((await found(folder)).map(([name, kind]) => [name, kind])).toEqual([
      ['mocap', 'motion'],
      ['nameless', 'dataset'],
      ['odd', 'dataset'],
      ['torn', 'dataset'],
    ]);
  });

  it('lets the first of equal names win, be it in the same folder or in another, or the same folder once more.', async () => {
    const first = await tree({ 'a/meta.json': META, 'b/meta.json': META });
    const second = await tree({ 'meta.json': META });
    const expected = [['calls', 'dataset', join(first, 'a')]];
    expect(await found(first, second)).toEqual(expected);
    expect(await found(first, first)).toEqual(expected);
    expect(await found(second, first)).toEqual([['calls', 'dataset', second]]);
  });

  it('refuses a folder without data, even beside one that has some, and names it.', async () => {
    const some = await tree({ 'said.jsonl': '' });
    const none = await tree({ 'a/b/said.jsonl': '', 'readme.txt': '' });
    await expect(findSources([some, none])).rejects.toMatchObject({
      code: 'BAD_DATASET',
      message: expect.stringContaining(`${none}: it holds no dataset`),
    });
    expect(await found()).toEqual([]);
  });

  it('refuses a folder that is not there, or that is a file.', async () => {
    const folder = await tree({ 'said.jsonl': '' });
    for (const path of [join(folder, 'nowhere'), join(folder, 'said.jsonl')])
      await expect(findSources([path])).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        message: `${path} cannot be read`,
      });
  });

  if (process.getuid?.() === 0 || process.platform === 'win32')
    it.skip('skipped: refuses a folder that may not be read (this user may read everything).', () => undefined);
  else
    it('refuses a folder that may not be read.', async () => {
      const folder = await tree({ 'shut/said.jsonl': '' });
      await chmod(join(folder, 'shut'), 0o000);
      await expect(findSources([folder])).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
      await chmod(join(folder, 'shut'), 0o700);
    });
});
