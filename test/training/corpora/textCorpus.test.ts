import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTextCorpus, type TextCorpus } from '../../../src/training/corpora/textCorpus.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();
type Line = { readonly text?: unknown; readonly split?: unknown; readonly source_label?: unknown; extra?: unknown };
const row = (source_label: unknown, text = 'some words', split = 'train'): Line => ({ text, split, source_label });

async function write(content: string | Uint8Array, file = 'corpus.jsonl.gz'): Promise<string> {
  const path = join(await newFolder(), file);
  await writeFile(path, file.endsWith('.gz') && typeof content === 'string' ? gzipSync(content) : content);
  return path;
}
const toLines = (rows: readonly Line[]): string => rows.map((one) => `${JSON.stringify(one)}\n`).join('');
const read = async (rows: readonly Line[], file?: string): Promise<TextCorpus> =>
  readTextCorpus(await write(toLines(rows), file));
const targetsOf = ({ rows }: TextCorpus): number[][] => rows.map(({ target }) => [...target]);

describe('readTextCorpus', () => {
  it('reads classes: their names in order, and one share for each row, gzipped or plain.', async () => {
    const rows = [row('joy', 'What a day!', 'dev'), row('anger'), { ...row('joy'), extra: 1 }];
    for (const file of ['words.jsonl.gz', 'words.jsonl']) {
      const corpus = await read(rows, file);
      expect(corpus).toMatchObject({ name: 'words', target: 'classes', names: ['anger', 'joy'] });
      expect(corpus.rows[0]).toEqual({ text: 'What a day!', split: 'dev', target: [0, 1] });
      expect(targetsOf(corpus)).toEqual([
        [0, 1],
        [1, 0],
        [0, 1],
      ]);
    }
  });

  it('lets several labels of a row share equally, each counted once and without the spaces around it.', async () => {
    const corpus = await read([row(['joy', 'fear']), row(['anger', ' joy', 'joy', 'fear']), row(['fear'])]);
    expect(corpus.names).toEqual(['anger', 'fear', 'joy']);
    expect(targetsOf(corpus)).toEqual([
      [0, 0.5, 0.5],
      [1 / 3, 1 / 3, 1 / 3],
      [0, 1, 0],
    ]);
  });

  it('gives targets that sum to 1 for any labels, and names every label that occurs, sorted.', async () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd', ' a ');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(label, { maxLength: 4 }), { maxLength: 6 }), async (lists) => {
        const corpus = await read([row('x'), row('y'), ...lists.map((list) => row(list))]);
        for (const target of targetsOf(corpus)) expect(target.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
        expect(corpus.names).toEqual([...new Set(['x', 'y', ...lists.flat().map((l) => l.trim())])].sort());
        expect(corpus.rows.length).toBe(2 + lists.filter((list) => list.length > 0).length);
      }),
      { numRuns: 25 },
    );
  });

  it.each([[null], [[]], ['  '], [['', ' ']]])('leaves out rows whose label is %j.', async (label) => {
    const corpus = await read([row('joy'), row(label), row('anger')]);
    expect(targetsOf(corpus)).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  it('standardises values, scale by scale, over all rows; a constant scale becomes 0.', async () => {
    const corpus = await read([row([1, 50, 3]), row(null), row([]), row([3, 30, 3]), row([5, 10, 3])]);
    expect(corpus).toMatchObject({ target: 'values', names: ['value0', 'value1', 'value2'] });
    const step = Math.sqrt(1.5);
    const expected = [
      [-step, step, 0],
      [0, 0, 0],
      [step, -step, 0],
    ];
    expect(corpus.rows).toHaveLength(3);
    targetsOf(corpus).forEach((target, i) => target.forEach((x, k) => expect(x).toBeCloseTo(expected[i]![k]!, 9)));
  });

  it('passes over blank lines, and counts them where it names a line.', async () => {
    const path = await write(`\n${toLines([row('joy')])}  \r\n${toLines([row('anger')])}\nnot JSON\n`);
    await expect(readTextCorpus(path)).rejects.toMatchObject({
      code: 'BAD_DATASET',
      message: 'text corpus: corpus.jsonl.gz: line 6: it is not JSON',
    });
  });

  const SECRET = 'what was said';
  it.each<[string, Line[], RegExp]>([
    ['a row without text', [row('joy'), { split: 'train', source_label: 'x' }], /line 2: it needs "text", "split"/],
    ['a row without a split', [{ text: SECRET, source_label: 'x' }], /line 1: it needs/],
    ['a row without a label field', [{ text: SECRET, split: 'train' }], /line 1: it needs/],
    ['a label that is a number', [row('joy'), row('fear'), row(3)], /line 3: it needs/],
    ['labels and values in one row', [row('joy'), row(['joy', 1])], /line 2: it needs/],
    ['a label among values', [row([1]), row(null), row('joy', SECRET)], /line 3: it has a label where others/],
    ['labels among values', [row([1]), row(['joy'], SECRET)], /line 2: it has a label where others have values/],
    [
      'rows of other lengths',
      [row(null), row([1, 2]), row([1], SECRET)],
      /line 3: it has 1 values where others have 2/,
    ],
    ['a single label', [row('joy', SECRET), row('joy')], /text corpus corpus: it has fewer than two labels/],
    ['no row at all', [], /fewer than two labels/],
  ])('refuses %s, naming the line and no text.', async (_, rows, message) => {
    const error: unknown = await read(rows).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain(SECRET);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['what is no gzip', Uint8Array.of(1, 2, 3), 'a.jsonl.gz'],
    ['a gzip that is cut off', gzipSync(toLines([row('joy'), row('fear')])).subarray(0, 30), 'a.jsonl.gz'],
    ['what is not UTF-8', Uint8Array.of(0xff, 0xfe, 0x80), 'a.jsonl'],
  ])('refuses %s.', async (_, content, file) => {
    const path = await write(content, file);
    const message = expect.stringMatching(/a\.jsonl(\.gz)? cannot be read as \(gzipped\) UTF-8/);
    await expect(readTextCorpus(path)).rejects.toMatchObject({ code: 'BAD_DATASET', message });
  });

  it('refuses a file that is not there.', async () => {
    const path = join(await newFolder(), 'nothing.jsonl.gz');
    await expect(readTextCorpus(path)).rejects.toMatchObject({ code: 'BAD_DATASET' });
  });

  it('unpacks no more than it may: a small file of a large text is refused before it fills the memory.', async () => {
    const bomb = await write(gzipSync(new Uint8Array(1 << 22)));
    expect((await readFile(bomb)).length).toBeLessThan(10_000);
    await expect(readTextCorpus(bomb, 1 << 16)).rejects.toMatchObject({ code: 'BAD_DATASET' });
    const text = toLines([row('joy'), row('fear')]);
    for (const file of ['a.jsonl', 'a.jsonl.gz']) {
      const path = await write(text, file);
      expect((await readTextCorpus(path, text.length)).rows).toHaveLength(2);
      await expect(readTextCorpus(path, text.length - 1)).rejects.toMatchObject({
        message: expect.stringContaining(`at most ${text.length - 1} bytes`),
      });
    }
  });

  const shared = process.env['UNDERTONE_SHARED'];
  if (shared)
    it('reads the corpora of the research data, classes and values.', async () => {
      const folder = join(shared, 'data', 'text');
      const classes = await readTextCorpus(join(folder, 'isear.jsonl.gz'));
      expect(classes).toMatchObject({ name: 'isear', target: 'classes' });
      expect(classes.names).toHaveLength(7);
      const values = await readTextCorpus(join(folder, 'emobank_vad.jsonl.gz'));
      expect([values.target, values.names.length, values.rows.length > 10_000]).toEqual(['values', 3, true]);
    });
  else it.skip('skipped: reads the corpora of the research data (UNDERTONE_SHARED is not set).', () => undefined);
});
