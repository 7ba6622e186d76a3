import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeDataset } from '../../../src/app/dataset/writeDataset.ts';
import { type Dataset, type Feature, readDataset } from '../../../src/training/dataset.ts';
import { createFolders, EVERY_KIND, writeDataset as writeTiny } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

/** Any dataset of `count` utterances with a vector and a sequence, parts of them masked. */
const anyDataset = fc.integer({ min: 0, max: 6 }).chain((count) => {
  const rows = (dim: number, most: number) =>
    fc.array(fc.option(fc.array(value, { minLength: dim, maxLength: dim * most })), {
      minLength: count,
      maxLength: count,
    });
  return fc.record({
    count: fc.constant(count),
    vector: rows(3, 1),
    sequence: rows(1, 9),
    labels: fc.array(fc.option(fc.nat(1)), { minLength: count, maxLength: count }),
    text: fc.string({ unit: 'grapheme' }),
  });
});

const feature = (
  name: string,
  kind: Feature['kind'],
  dim: number,
  rows: readonly (readonly number[] | null)[],
): Feature => ({
  name,
  kind,
  dim,
  modality: 'audio',
  columns: undefined,
  rowsOf: (u) => (rows[u] ? Float32Array.from(rows[u]) : undefined),
});

describe('writeDataset', () => {
  it('writes what reads back as the same dataset.', async () => {
    const check = async ({
      count,
      vector,
      sequence,
      labels,
      text,
    }: typeof anyDataset extends fc.Arbitrary<infer T> ? T : never) => {
      const utterances = Array.from({ length: count }, (_, index) => ({
        ...{ index, id: `${index}`, speaker: 'Ada', label: labels[index] ?? undefined, text, sourceLabel: 'x' },
        ...{ start: 1.5, end: '00:00:02', media: { audio: 'a.wav', clips: ['audio' as const] } },
      }));
      const features = [feature('v', 'vector', 3, vector), feature('Odd / name', 'sequence', 1, sequence)];
      const dataset: Dataset = {
        ...{ name: 'any', labels: ['calm', 'glad'], source: 'made up' },
        dialogues: [{ id: 'd', split: 'dev', utterances }],
        features: new Map(features.map((f) => [f.name, f])),
      };
      const folder = await newFolder();
      await writeDataset(folder, dataset);
      const read = await readDataset(folder);
      expect({ ...read, features: undefined }).toEqual({ ...dataset, features: undefined });
      for (const written of features) {
        const { name, kind, dim, modality } = written;
        expect(read.features.get(name)).toMatchObject({ kind, dim, modality });
        for (let u = 0; u < count; u++) expect(read.features.get(name)!.rowsOf(u)).toEqual(written.rowsOf(u));
      }
    };
    await fc.assert(fc.asyncProperty(anyDataset, check), { numRuns: 40 });
  });

  it('names files so that no name of a feature can leave the folder or meet another.', async () => {
    const folder = await newFolder();
    const read = await readDataset(await writeTiny(await newFolder(), EVERY_KIND));
    const prosody = read.features.get('prosody')!;
    const names = ['prosody', 'Prosody', '../prosody', 'prosody.mask', '.hidden'];
    await writeDataset(join(folder), { ...read, features: new Map(names.map((name) => [name, prosody])) });
    expect((await readdir(folder)).sort()).toEqual(
      ['prosody', 'feature.1', 'feature.2', 'feature.3', 'feature.4']
        .flatMap((name) => [`${name}.f32`, `${name}.mask.u8`])
        .concat('meta.json')
        .sort(),
    );
    expect((await readDataset(folder)).features.get('../prosody')!.rowsOf(0)).toEqual(Float32Array.of(1, 2));
  });
});
