import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Modality } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';
import { badDataset, isBelow, isPathInside, parseMeta, type FeatureDescription } from './datasetMeta.ts';

/** Media files that hold an utterance: paths below the dataset folder, or below the folder that is named for its media. */
export type UtteranceMedia = {
  readonly audio?: string | undefined;
  readonly video?: string | undefined;
  /** Which of the files hold this utterance and nothing else, so that its times do not apply to them. */
  readonly clips?: readonly ('audio' | 'video')[] | undefined;
};

/** One utterance of a dataset. `index` is its row in every feature. */
export type LabelledUtterance = {
  readonly index: number;
  readonly id: string;
  readonly speaker: string;
  /** Position in the label set; `undefined` = unlabelled. */
  readonly label: number | undefined;
  readonly text: string | undefined;
  /** Numbers are seconds in its media; what is written as text is the time of the source, and cuts nothing. */
  readonly start?: number | string | undefined;
  readonly end?: number | string | undefined;
  /** What the source called it, before labels were mapped. */
  readonly sourceLabel?: string | undefined;
  readonly media?: UtteranceMedia | undefined;
};

/** One dialogue of a dataset, in order of time. */
export type LabelledDialogue = {
  readonly id: string;
  readonly split: string;
  readonly utterances: readonly LabelledUtterance[];
};

/** One feature: `rowsOf(utterance)` gives `[rows × dim]` values, or nothing where it is masked. */
export type Feature = {
  readonly name: string;
  readonly modality: Modality;
  readonly kind: 'vector' | 'sequence';
  readonly dim: number;
  readonly columns?: readonly string[] | undefined;
  rowsOf(utterance: number): Float32Array | undefined;
};

/** A dataset in format 1, read and checked. */
export type Dataset = {
  readonly name: string;
  readonly labels: readonly string[];
  /** Where it comes from, in words. */
  readonly source?: string | undefined;
  readonly dialogues: readonly LabelledDialogue[];
  readonly features: ReadonlyMap<string, Feature>;
};

/**
 * Reads a dataset folder in format 1 (docs/dataset.md). Everything is checked before anything is used.
 * @throws UndertoneError BAD_DATASET with the file, the row and the rule
 */
export async function readDataset(folder: string): Promise<Dataset> {
  const meta = parseMeta(await readInside(folder, 'meta.json'));
  let index = 0;
  const dialogues = meta.dialogues.map(({ id, split, utterances }) => ({
    id,
    split,
    utterances: utterances.map((u) => ({
      index: index++,
      id: u.id,
      speaker: u.speaker,
      label: labelIndex(meta.labels, u.label, `${id}/${u.id}`),
      text: u.text,
      start: u.start,
      end: u.end,
      sourceLabel: u.sourceLabel,
      media: u.media,
    })),
  }));
  const features = new Map<string, Feature>();
  for (const [name, feature] of Object.entries(meta.features))
    features.set(name, await readFeature(folder, name, feature, index));
  return { name: meta.name, labels: meta.labels, source: meta.source, dialogues, features };
}

function labelIndex(labels: readonly string[], label: string | null, where: string): number | undefined {
  if (label === null) return undefined;
  const found = labels.indexOf(label);
  return found >= 0 ? found : badDataset('meta.json', `utterance ${where} has a label outside "labels"`);
}

async function readFeature(
  folder: string,
  name: string,
  meta: FeatureDescription,
  utterances: number,
): Promise<Feature> {
  const bytes = await readInside(folder, meta.file);
  const mask = meta.mask === undefined ? undefined : await readInside(folder, meta.mask);
  if (mask && mask.length !== utterances)
    badDataset(meta.mask ?? '', `it has ${mask.length} bytes, not one for each of ${utterances} utterances`);
  const odd = mask?.findIndex((byte) => byte > 1) ?? -1;
  if (odd >= 0) badDataset(meta.mask ?? '', `row ${odd} is neither 0 nor 1`);
  const offsets = meta.kind === 'sequence' ? await readOffsets(folder, meta, utterances) : undefined;
  const rows = offsets ? (offsets[utterances] as number) : utterances;
  if (bytes.length !== rows * meta.dim * 4)
    badDataset(meta.file, `it has ${bytes.length} bytes, not ${rows} rows of ${meta.dim} 32-bit floats`);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const feature: Feature = {
    name,
    modality: meta.modality,
    kind: meta.kind,
    dim: meta.dim,
    columns: meta.columns,
    rowsOf: (u) => {
      if (mask && mask[u] !== 1) return undefined;
      const [from, to] = offsets ? [offsets[u] as number, offsets[u + 1] as number] : [u, u + 1];
      return to > from ? values.subarray(from * meta.dim, to * meta.dim) : undefined;
    },
  };
  for (let u = 0; u < utterances; u++)
    if (!(feature.rowsOf(u)?.every(Number.isFinite) ?? true)) badDataset(meta.file, `row ${u} holds NaN or infinity`);
  return feature;
}

async function readOffsets(folder: string, meta: FeatureDescription, utterances: number): Promise<Uint32Array> {
  if (meta.offsets === undefined) return badDataset('meta.json', `the sequence in ${meta.file} has no offsets file`);
  const bytes = await readInside(folder, meta.offsets);
  if (bytes.length !== (utterances + 1) * 4)
    badDataset(meta.offsets, `it has ${bytes.length} bytes, not ${utterances + 1} offsets`);
  const offsets = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  for (let u = 0; u < utterances; u++)
    if ((offsets[u + 1] as number) < (offsets[u] as number)) badDataset(meta.offsets, `offset ${u + 1} goes backwards`);
  if (offsets[0] !== 0) badDataset(meta.offsets, 'the first offset is not 0');
  return offsets;
}

/** Reads a file of the dataset. Neither its name nor a symbolic link may lead out of the folder. */
async function readInside(folder: string, file: string): Promise<Uint8Array> {
  if (!isPathInside(file)) badDataset(file, 'the path leaves the dataset folder');
  try {
    const path = await realpath(resolve(folder, file));
    if (isBelow(await realpath(folder), path)) return await readFile(path);
  } catch (cause) {
    throw new UndertoneError('BAD_DATASET', `dataset: ${file}: it cannot be read from ${folder}`, { cause });
  }
  return badDataset(file, 'a symbolic link leaves the dataset folder');
}
