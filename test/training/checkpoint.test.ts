import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SHAPE, type ModelConfig } from '../../src/model/config.ts';
import { initialValues } from '../../src/model/parameters.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { type Checkpoint, fingerprint, readCheckpoint, writeCheckpoint } from '../../src/training/checkpoint.ts';
import { newMoments } from '../../src/training/adam.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { newLearnerState } from '../../src/training/trainee.ts';
import { createFolders, TINY_CONFIG } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const { shape } = parseTrainConfig(TINY_CONFIG);
const MODEL: ModelConfig = {
  ...DEFAULT_SHAPE,
  ...shape,
  labels: ['cross', 'glad'],
  prior: [0.25, 0.75],
  vocabulary: ['déjà', '"vu"'],
  inputs: [
    { name: 'text', modality: 'text', kind: 'tokens', dim: 0, tokens: 8, speakerRelative: false },
    { name: 'prosody', modality: 'audio', kind: 'vector', dim: 2, tokens: 1, speakerRelative: true },
  ],
};

function someCheckpoint(): Checkpoint {
  const state = newLearnerState(new Map([...initialValues(MODEL, 3), ['training.extra', Float32Array.of(0.25, -2)]]));
  for (const [name, { length }] of state.values) {
    if (name !== 'aux.text.b') state.moments.set(name, newMoments(length)); // a parameter that has never had a gradient
    if (!name.startsWith('aux.')) state.averages.set(name, new Float32Array(length).fill(1 / 3));
  }
  let n = 0;
  for (const { m, v } of state.moments.values()) {
    m.forEach((_, i) => (m[i] = Math.sin(++n) * 1e-20)); // smaller than 16-bit floats can hold
    v.forEach((_, i) => (v[i] = Math.cos(++n) ** 2 * 1e-38));
  }
  state.step = 41;
  return { model: MODEL, state, stage: 2, epoch: 5, bestEpoch: 4, bestScore: 0.1 + 0.2, best: initialValues(MODEL, 4) };
}

/** A checkpoint whose file was changed: its metadata, its tensors or its bytes. */
async function changed(change: {
  readonly metadata?: (saved: Record<string, unknown>) => unknown;
  readonly tensors?: (tensors: Map<string, { shape: readonly number[]; values: Float32Array }>) => unknown;
  readonly bytes?: (bytes: Uint8Array) => Uint8Array;
}): Promise<Checkpoint | undefined> {
  const folder = await newFolder();
  await writeCheckpoint(folder, 'run', someCheckpoint());
  const path = join(folder, 'checkpoint.safetensors');
  const file = decodeSafetensors(await readFile(path));
  const tensors = new Map(file.tensors);
  change.tensors?.(tensors);
  const saved = JSON.parse(file.metadata['undertone']!) as Record<string, unknown>;
  const metadata = { undertone: JSON.stringify(change.metadata ? change.metadata(saved) : saved) };
  const bytes = encodeSafetensors({ tensors, metadata }, 'F32');
  await writeFile(path, change.bytes?.(bytes) ?? bytes);
  return readCheckpoint(folder, 'run');
}

const refused = (rule: RegExp): object => ({ code: 'BAD_CHECKPOINT', message: expect.stringMatching(rule) });

describe('writeCheckpoint and readCheckpoint', () => {
  it('give back every number to the bit.', async () => {
    const folder = join(await newFolder(), 'not', 'yet', 'there');
    const written = someCheckpoint();
    await writeCheckpoint(folder, 'run', written);
    expect(await readCheckpoint(folder, 'run')).toEqual(written);
    expect(await readdir(folder)).toEqual(['checkpoint.safetensors']);
  });

  it('give back where the members of a mean stand, before the first and after some.', async () => {
    const folder = await newFolder();
    for (const [done, mean] of [
      [0, new Map<string, Float32Array>()],
      [2, initialValues(MODEL, 6)],
    ] as const) {
      const written: Checkpoint = { ...someCheckpoint(), members: { start: initialValues(MODEL, 5), mean, done } };
      await writeCheckpoint(folder, 'run', written);
      expect(await readCheckpoint(folder, 'run')).toEqual(written);
    }
  });

  it('write the same bytes for the same state, over what was there.', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'checkpoint.safetensors'), 'something much older');
    await writeFile(join(folder, 'checkpoint.safetensors.part'), 'what a crash left');
    await writeCheckpoint(folder, 'run', someCheckpoint());
    const first = await readFile(join(folder, 'checkpoint.safetensors'));
    await writeCheckpoint(folder, 'run', someCheckpoint());
    expect(Buffer.compare(first, await readFile(join(folder, 'checkpoint.safetensors')))).toBe(0);
  });

  it('find nothing where there is nothing.', async () => {
    expect(await readCheckpoint(await newFolder(), 'run')).toBeUndefined();
    expect(await readCheckpoint(join(await newFolder(), 'no', 'folder'), 'run')).toBeUndefined();
  });

  it('refuse a checkpoint of another run, and name the way out.', async () => {
    const folder = await newFolder();
    await writeCheckpoint(folder, 'run', someCheckpoint());
    await expect(readCheckpoint(folder, 'other')).rejects.toMatchObject(
      refused(/another configuration, seed or.*--out/),
    );
  });

  it('refuse a checkpoint that cannot be read, instead of beginning anew over it.', async () => {
    const folder = await newFolder();
    await mkdir(join(folder, 'checkpoint.safetensors'));
    await expect(readCheckpoint(folder, 'run')).rejects.toMatchObject(refused(/cannot be read/));
  });

  it.each([0, 7, 100, 5000, -1])('refuse a file that ends at byte %i.', async (end) => {
    await expect(changed({ bytes: (bytes) => bytes.slice(0, end) })).rejects.toMatchObject(refused(/is damaged/));
  });

  it('refuse a file with a header of another kind.', async () => {
    const bytes = (all: Uint8Array): Uint8Array => all.map((byte, i) => (i === 20 ? 0 : byte));
    await expect(changed({ bytes })).rejects.toMatchObject(refused(/is damaged/));
  });

  it.each(['value', 'm', 'v', 'best'])('refuse a missing, short or broken tensor of the %s family.', async (family) => {
    const name = `${family}/head.out.b`;
    const stored = [undefined, new Float32Array(1), Float32Array.of(0, NaN)];
    for (const values of stored) {
      const reading = changed({
        tensors: (tensors) => (values ? tensors.set(name, { shape: [values.length], values }) : tensors.delete(name)),
      });
      await expect(reading).rejects.toMatchObject(refused(/damaged: .*"head\.out\.b"/));
    }
  });

  it.each(['epoch', 'bestEpoch', 'bestScore', 'step'])(
    'refuse a checkpoint that does not say its %s.',
    async (name) => {
      const metadata = (saved: Record<string, unknown>): unknown => ({ ...saved, [name]: undefined });
      await expect(changed({ metadata })).rejects.toMatchObject(refused(new RegExp(`damaged: it holds no ${name}`)));
    },
  );

  it('refuse metadata that is nothing, and a network that is not valid.', async () => {
    await expect(changed({ metadata: () => null })).rejects.toMatchObject(refused(/metadata is not valid/));
    const metadata = (saved: Record<string, unknown>): unknown => ({ ...saved, model: { ...MODEL, width: 9 } });
    await expect(changed({ metadata })).rejects.toMatchObject(refused(/damaged: .*width/));
  });

  it('say OUTPUT_FAILED when the folder cannot be written.', async () => {
    const file = join(await newFolder(), 'a-file');
    await writeFile(file, '');
    const writing = writeCheckpoint(join(file, 'folder'), 'run', someCheckpoint());
    await expect(writing).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  });
});

describe('fingerprint', () => {
  it('is the same for equal parts, and another for any other.', () => {
    expect(fingerprint({ a: 1 }, 'set')).toBe(fingerprint({ a: 1 }, 'set'));
    expect(fingerprint({ a: 1 }, 'set')).toMatch(/^[0-9a-f]{16}$/);
    const others = [fingerprint({ a: 2 }, 'set'), fingerprint({ a: 1 }, 'sets'), fingerprint({ a: 1 }, 'set', [])];
    expect(new Set([...others, fingerprint({ a: 1 }, 'set')]).size).toBe(4);
  });
});
