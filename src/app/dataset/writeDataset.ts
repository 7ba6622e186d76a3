import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Feature, LabelledDialogue } from '../../training/dataset.ts';

/**
 * Writes a dataset in format 1 into a folder that exists: `meta.json`, and for each feature its numbers, its mask and,
 * for sequences, its offsets. Reading it gives the same dataset.
 */
export async function writeDataset(folder: string, dataset: Dataset): Promise<void> {
  const utterances = dataset.dialogues.reduce((sum, dialogue) => sum + dialogue.utterances.length, 0);
  const features: Record<string, object> = {};
  for (const [name, feature] of dataset.features) {
    const base = toFileName(name, Object.keys(features).length);
    features[name] = await writeFeature(folder, base, feature, utterances);
  }
  const { name, labels, source } = dataset;
  const dialogues = dataset.dialogues.map((dialogue) => toDialogue(dialogue, labels));
  await writeFile(
    join(folder, 'meta.json'),
    `${JSON.stringify({ format: 1, name, labels, source, features, dialogues })}\n`,
  );
}

/** A name that is safe on every file system; another one where two could be the same there. */
function toFileName(name: string, position: number): string {
  return /^[a-z0-9][a-z0-9_-]{0,63}$/.test(name) ? name : `feature.${position}`;
}

async function writeFeature(folder: string, base: string, feature: Feature, utterances: number): Promise<object> {
  const { modality, kind, dim, columns } = feature;
  const rows = Array.from({ length: utterances }, (_, u) => feature.rowsOf(u));
  const offsets = new Uint32Array(utterances + 1);
  for (const [u, own] of rows.entries()) {
    const count = kind === 'vector' ? 1 : (own?.length ?? 0) / dim;
    offsets[u + 1] = (offsets[u] ?? 0) + count;
  }
  const values = new Float32Array((offsets[utterances] ?? 0) * dim);
  for (const [u, own] of rows.entries()) values.set(own ?? [], (offsets[u] ?? 0) * dim);
  const file = `${base}.f32`;
  const mask = `${base}.mask.u8`;
  await writeFile(join(folder, file), bytesOf(values));
  await writeFile(
    join(folder, mask),
    Uint8Array.from(rows, (own) => (own ? 1 : 0)),
  );
  if (kind === 'vector') return { modality, kind, dim, file, mask, columns };
  await writeFile(join(folder, `${base}.offsets.u32`), bytesOf(offsets));
  return { modality, kind, dim, file, mask, offsets: `${base}.offsets.u32`, hz: 10, columns };
}

function bytesOf(values: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function toDialogue({ id, split, utterances }: LabelledDialogue, labels: readonly string[]): object {
  return {
    id,
    split,
    utterances: utterances.map(({ index: _, label, ...rest }) => ({
      ...rest,
      label: label === undefined ? null : labels[label],
    })),
  };
}
