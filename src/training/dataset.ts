import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { MODALITIES } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';

/** One utterance of a dataset. `index` is its row in every feature. */
export type LabelledUtterance = {
  readonly index: number;
  readonly id: string;
  readonly speaker: string;
  /** Position in the label set; `undefined` = unlabelled. */
  readonly label: number | undefined;
  readonly text: string | undefined;
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
  readonly modality: (typeof MODALITIES)[number];
  readonly kind: 'vector' | 'sequence';
  readonly dim: number;
  rowsOf(utterance: number): Float32Array | undefined;
};

/** A dataset in format 1, read and checked. */
export type Dataset = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly dialogues: readonly LabelledDialogue[];
  readonly features: ReadonlyMap<string, Feature>;
};

const Meta = z.object({
  format: z.literal(1),
  name: z.string(),
  labels: z
    .array(z.string().min(1))
    .min(2)
    .refine((labels) => new Set(labels).size === labels.length, 'a label occurs twice'),
  features: z.record(
    z.string(),
    z.object({
      modality: z.enum(MODALITIES),
      kind: z.enum(['vector', 'sequence']),
      dim: z.number().int().positive(),
      file: z.string(),
      mask: z.string().optional(),
      offsets: z.string().optional(),
    }),
  ),
  dialogues: z.array(
    z.object({
      id: z.string(),
      split: z.string(),
      utterances: z.array(
        z.object({ id: z.string(), speaker: z.string(), label: z.string().nullable(), text: z.string().optional() }),
      ),
    }),
  ),
});
type FeatureMeta = z.infer<typeof Meta>['features'][string];

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
    })),
  }));
  const features = new Map<string, Feature>();
  for (const [name, feature] of Object.entries(meta.features))
    features.set(name, await readFeature(folder, name, feature, index));
  return { name: meta.name, labels: meta.labels, dialogues, features };
}

function parseMeta(bytes: Uint8Array): z.infer<typeof Meta> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('meta.json', 'it is not JSON');
  }
  const parsed = Meta.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return fail('meta.json', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

function labelIndex(labels: readonly string[], label: string | null, where: string): number | undefined {
  if (label === null) return undefined;
  const found = labels.indexOf(label);
  return found >= 0 ? found : fail('meta.json', `utterance ${where} has a label outside "labels"`);
}

async function readFeature(folder: string, name: string, meta: FeatureMeta, utterances: number): Promise<Feature> {
  const bytes = await readInside(folder, meta.file);
  const mask = meta.mask === undefined ? undefined : await readInside(folder, meta.mask);
  if (mask && mask.length !== utterances)
    fail(meta.mask ?? '', `it has ${mask.length} bytes, not one for each of ${utterances} utterances`);
  const odd = mask?.findIndex((byte) => byte > 1) ?? -1;
  if (odd >= 0) fail(meta.mask ?? '', `row ${odd} is neither 0 nor 1`);
  const offsets = meta.kind === 'sequence' ? await readOffsets(folder, meta, utterances) : undefined;
  const rows = offsets ? (offsets[utterances] as number) : utterances;
  if (bytes.length !== rows * meta.dim * 4)
    fail(meta.file, `it has ${bytes.length} bytes, not ${rows} rows of ${meta.dim} 32-bit floats`);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const feature: Feature = {
    name,
    modality: meta.modality,
    kind: meta.kind,
    dim: meta.dim,
    rowsOf: (u) => {
      if (mask && mask[u] !== 1) return undefined;
      const [from, to] = offsets ? [offsets[u] as number, offsets[u + 1] as number] : [u, u + 1];
      return to > from ? values.subarray(from * meta.dim, to * meta.dim) : undefined;
    },
  };
  for (let u = 0; u < utterances; u++)
    if (!(feature.rowsOf(u)?.every(Number.isFinite) ?? true)) fail(meta.file, `row ${u} holds NaN or infinity`);
  return feature;
}

async function readOffsets(folder: string, meta: FeatureMeta, utterances: number): Promise<Uint32Array> {
  if (meta.offsets === undefined) return fail('meta.json', `the sequence in ${meta.file} has no offsets file`);
  const bytes = await readInside(folder, meta.offsets);
  if (bytes.length !== (utterances + 1) * 4)
    fail(meta.offsets, `it has ${bytes.length} bytes, not ${utterances + 1} offsets`);
  const offsets = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  for (let u = 0; u < utterances; u++)
    if ((offsets[u + 1] as number) < (offsets[u] as number)) fail(meta.offsets, `offset ${u + 1} goes backwards`);
  if (offsets[0] !== 0) fail(meta.offsets, 'the first offset is not 0');
  return offsets;
}

/** Reads a file of the dataset. Neither its name nor a symbolic link may lead out of the folder. */
async function readInside(folder: string, file: string): Promise<Uint8Array> {
  if (isAbsolute(file) || !isInside(folder, resolve(folder, file))) fail(file, 'the path leaves the dataset folder');
  try {
    const path = await realpath(resolve(folder, file));
    if (isInside(await realpath(folder), path)) return await readFile(path);
  } catch (cause) {
    throw new UndertoneError('BAD_DATASET', `dataset: ${file}: it cannot be read from ${folder}`, { cause });
  }
  return fail(file, 'a symbolic link leaves the dataset folder');
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

function fail(file: string, rule: string): never {
  throw new UndertoneError('BAD_DATASET', `dataset: ${file}: ${rule}`);
}
