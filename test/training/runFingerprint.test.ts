import { beforeAll, describe, expect, it } from 'vitest';
import { initialValues } from '../../src/model/parameters.ts';
import type { Weights } from '../../src/model/weights.ts';
import { type Dataset, readDataset } from '../../src/training/dataset.ts';
import { runFingerprint, type RunInputs } from '../../src/training/runFingerprint.ts';
import type { Source } from '../../src/training/sources.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { createFolders, TINY_CONFIG, wordCorpus, wordDataset, writeDataset } from '../support/tinyDataset.ts';
import { TINY } from '../support/tinyModel.ts';

const newFolder = createFolders();
const CORPUS = wordCorpus('said', { train: 6, dev: 2 });
let dataset: Dataset;
beforeAll(async () => {
  dataset = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 2, dev: 1 })));
});

const start = (): Weights => ({
  config: TINY,
  values: initialValues(TINY, 4),
  provenance: { name: 'start', trainedOn: '', licence: '', seed: 4, dev: {} },
});
const inputs = (change: Partial<RunInputs> = {}): RunInputs => ({
  config: parseTrainConfig(TINY_CONFIG),
  model: TINY,
  sources: sourcesOf(),
  statistics: new Map([['prosody', { mean: Float32Array.of(1, 2), scale: Float32Array.of(3, 4) }]]),
  ...change,
});
const sourcesOf = (change: Readonly<Record<string, Source>> = {}): Map<string, Source> =>
  new Map<string, Source>([
    ['words', change['words'] ?? { kind: 'dataset', dataset }],
    ['said', change['said'] ?? { kind: 'texts', corpus: CORPUS }],
  ]);

/** The dataset with one change of its first utterance. */
function relabelled(change: object): Source {
  const [first, ...rest] = dataset.dialogues;
  const [utterance, ...others] = first!.utterances;
  const dialogue = { ...first!, utterances: [{ ...utterance!, ...change }, ...others] };
  return { kind: 'dataset', dataset: { ...dataset, dialogues: [dialogue, ...rest] } };
}

/** The corpus with one change of its last row. */
function reworded(change: object): Source {
  const rows = CORPUS.rows.map((row, i) => (i === CORPUS.rows.length - 1 ? { ...row, ...change } : row));
  return { kind: 'texts', corpus: { ...CORPUS, rows } };
}

describe('runFingerprint', () => {
  it('is the same for equal inputs that are other objects, and 16 hex digits long.', () => {
    expect(runFingerprint(inputs())).toBe(runFingerprint(inputs()));
    expect(runFingerprint(inputs({ start: start() }))).toBe(runFingerprint(inputs({ start: start() })));
    expect(runFingerprint(inputs())).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each<[string, () => Partial<RunInputs>]>([
    ['the seed', () => ({ config: parseTrainConfig({ ...TINY_CONFIG, seed: 8 }) })],
    ['the vocabulary', () => ({ model: { ...TINY, vocabulary: [...TINY.vocabulary, 'more'] } })],
    ['a text of a corpus', () => ({ sources: sourcesOf({ said: reworded({ text: 'quite another' }) }) })],
    ['a target of a corpus', () => ({ sources: sourcesOf({ said: reworded({ target: [0.5, 0.5] }) }) })],
    ['a split of a corpus', () => ({ sources: sourcesOf({ said: reworded({ split: 'train' }) }) })],
    ['a text of a dialogue', () => ({ sources: sourcesOf({ words: relabelled({ text: 'quite another' }) }) })],
    ['a speaker', () => ({ sources: sourcesOf({ words: relabelled({ speaker: 'Cem' }) }) })],
    ['a label that is gone', () => ({ sources: sourcesOf({ words: relabelled({ label: undefined }) }) })],
    ['the name of a source', () => ({ sources: new Map([...sourcesOf()].map(([name, s]) => [`${name}2`, s])) })],
    ['the order of the sources', () => ({ sources: new Map([...sourcesOf()].reverse()) })],
    [
      'the normalisation',
      () => ({
        statistics: new Map([['prosody', { mean: Float32Array.of(1, 2.0000002), scale: Float32Array.of(3, 4) }]]),
      }),
    ],
    ['weights to start from', () => ({ start: start() })],
  ])('differs when %s differs.', (_, change) => {
    expect(runFingerprint(inputs(change()))).not.toBe(runFingerprint(inputs()));
  });

  it('differs when one number of the weights to start from differs in its last bit, wherever it lies.', () => {
    const plain = runFingerprint(inputs({ start: start() }));
    for (const name of start().values.keys()) {
      const changed = start();
      const values = changed.values.get(name)!;
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      if (bits.length === 0) continue;
      bits[bits.length - 1]! ^= 1;
      expect(runFingerprint(inputs({ start: changed })), name).not.toBe(plain);
    }
  });

  it('does not look at where the weights say they come from.', () => {
    const renamed = { ...start(), provenance: { ...start().provenance, name: 'other' } };
    expect(runFingerprint(inputs({ start: renamed }))).toBe(runFingerprint(inputs({ start: start() })));
  });
});
