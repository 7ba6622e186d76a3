import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Modality } from '../../src/domain/modality.ts';
import { createRandom } from '../../src/model/random.ts';
import type { TextCorpus } from '../../src/training/corpora/textCorpus.ts';

/** A feature of a tiny dataset: the rows of every utterance in order, or nothing where it is masked. */
export type TinyFeature = {
  readonly modality: Modality;
  readonly kind: 'vector' | 'sequence';
  readonly dim: number;
  readonly rows: readonly (readonly (readonly number[])[] | undefined)[];
};

/** One utterance of a tiny dataset. */
export type TinyUtterance = {
  readonly id: string;
  readonly speaker: string;
  readonly label: string | null;
  readonly text?: string;
};

/** A dataset small enough to read in a test. */
export type TinyDataset = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly features: Readonly<Record<string, TinyFeature>>;
  readonly dialogues: readonly {
    readonly id: string;
    readonly split: string;
    readonly utterances: readonly TinyUtterance[];
  }[];
};

/** Makes empty folders that are removed when the tests of the file are over. */
export function createFolders(): () => Promise<string> {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'undertone-training-'));
    folders.push(folder);
    return folder;
  };
}

/** Writes a dataset in format 1: `<feature>.f32`, `.mask.u8` and, for sequences, `.offsets.u32`. Returns the folder. */
export async function writeDataset(folder: string, { features, ...rest }: TinyDataset): Promise<string> {
  await mkdir(folder, { recursive: true });
  const described: Record<string, object> = {};
  for (const [name, { modality, kind, dim, rows }] of Object.entries(features)) {
    const absent = kind === 'vector' ? [new Array<number>(dim).fill(0)] : [];
    const frames = rows.map((own) => own ?? absent);
    const offsets = frames.reduce<number[]>((list, own) => [...list, (list.at(-1) ?? 0) + own.length], [0]);
    await writeFile(join(folder, `${name}.f32`), new Uint8Array(Float32Array.from(frames.flat(2)).buffer));
    await writeFile(
      join(folder, `${name}.mask.u8`),
      Uint8Array.from(rows, (own) => (own ? 1 : 0)),
    );
    const sequence = kind === 'sequence' && { offsets: `${name}.offsets.u32` };
    if (sequence) await writeFile(join(folder, sequence.offsets), new Uint8Array(Uint32Array.from(offsets).buffer));
    described[name] = { modality, kind, dim, file: `${name}.f32`, mask: `${name}.mask.u8`, ...sequence };
  }
  await writeFile(join(folder, 'meta.json'), JSON.stringify({ format: 1, ...rest, features: described }));
  return folder;
}

/** One of everything the format knows: a vector, a sequence, masked and empty rows, an unlabelled utterance. */
export const EVERY_KIND: TinyDataset = {
  name: 'every-kind',
  labels: ['calm', 'glad'],
  features: {
    prosody: { modality: 'audio', kind: 'vector', dim: 2, rows: [[[1, 2]], undefined, [[5, 6]], [[7, 8]]] },
    segments: { modality: 'audio', kind: 'sequence', dim: 1, rows: [[[1], [2]], [], [[3]], undefined] },
  },
  dialogues: [
    {
      id: 'a',
      split: 'train',
      utterances: [
        { id: '0', speaker: 'Ada', label: 'glad', text: 'Good day!' },
        { id: '1', speaker: 'Ben', label: null },
      ],
    },
    {
      id: 'b',
      split: 'dev',
      utterances: [
        { id: '0', speaker: 'Ada', label: 'calm', text: 'Good night.' },
        { id: '1', speaker: 'Ada', label: 'glad' },
      ],
    },
  ],
};

const WORDS = ['river', 'table', 'seven', 'paper', 'garden', 'window'];

/** Dialogues of four utterances whose label depends on one word (`lovely`: glad, `awful`: cross); prosody is noise. */
export function wordDataset(counts: Readonly<Record<string, number>>, seed = 1): TinyDataset {
  const random = createRandom(seed);
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)]!;
  const dialogues = Object.entries(counts).flatMap(([split, count]) =>
    Array.from({ length: count }, (_, d) => ({
      id: `${split}${d}`,
      split,
      utterances: Array.from({ length: 4 }, (_, u) => {
        const label = random() < 0.5 ? 'glad' : 'cross';
        const telling = label === 'glad' ? 'lovely' : 'awful';
        return { id: `${u}`, speaker: u % 2 ? 'Ada' : 'Ben', label, text: `${word()} ${telling} ${word()}` };
      }),
    })),
  );
  const rows = dialogues.flatMap(({ utterances }) => utterances.map(() => [[random(), 100 * random()]]));
  const prosody: TinyFeature = { modality: 'audio', kind: 'vector', dim: 2, rows };
  return { name: 'words', labels: ['cross', 'glad'], features: { prosody }, dialogues };
}

/** A training configuration for {@link wordDataset}, as a file would hold it: a network that trains within seconds. */
export const TINY_CONFIG: Readonly<Record<string, unknown>> = {
  format: 1,
  name: 'tiny',
  licence: 'made up by the test',
  trainedOn: 'made-up words',
  seed: 7,
  inputs: [
    { name: 'text', modality: 'text', kind: 'tokens', tokens: 8 },
    { name: 'prosody', modality: 'audio', kind: 'vector', tokens: 1, speakerRelative: true },
  ],
  shape: {
    width: 8,
    heads: 1,
    layers: 1,
    feedForward: 8,
    contextHidden: 4,
    headHidden: 8,
    reflections: 2,
    lookAhead: 2,
    buckets: 64,
  },
  epochs: 3,
  batchDialogues: 4,
  warmUpSteps: 2,
};

/**
 * Texts whose label depends on one word, as in {@link wordDataset}: classes `cross` and `glad`, or two values, of which the
 * first is high and the second low where they are glad.
 */
export function wordCorpus(
  name: string,
  counts: Readonly<Record<string, number>>,
  target: TextCorpus['target'] = 'classes',
): TextCorpus {
  const random = createRandom(11);
  const word = (): string => WORDS[Math.floor(random() * WORDS.length)]!;
  const rows = Object.entries(counts).flatMap(([split, count]) =>
    Array.from({ length: count }, () => {
      const isGlad = random() < 0.5;
      const text = `${word()} ${isGlad ? 'lovely' : 'awful'} ${word()}`;
      if (target === 'classes') return { text, split, target: isGlad ? [0, 1] : [1, 0] };
      return { text, split, target: isGlad ? [1, -1] : [-1, 1] };
    }),
  );
  return { name, target, names: target === 'classes' ? ['cross', 'glad'] : ['value0', 'value1'], rows };
}
