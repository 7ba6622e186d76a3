import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../errors.ts';
import { type ModelConfig, parseModelConfig } from '../model/config.ts';
import { checkValues } from '../model/parameters.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../model/safetensors.ts';
import { EXTRA_PREFIX, type LearnerState } from './trainee.ts';

/** Where training stands between two epochs. */
export type Checkpoint = {
  readonly model: ModelConfig;
  readonly state: LearnerState;
  /** Stages done; the dialogues are the last one. */
  readonly stage: number;
  /** Epochs done of the stage that follows. */
  readonly epoch: number;
  readonly bestEpoch: number;
  readonly bestScore: number;
  readonly best: ReadonlyMap<string, Float32Array>;
  /** Where several members of a mean stand; only with more than one. */
  readonly members?: Members | undefined;
};

/** Members of a mean of weights: what each starts from, how many are done, and the mean of their best weights. */
export type Members = {
  readonly start: ReadonlyMap<string, Float32Array>;
  readonly mean: ReadonlyMap<string, Float32Array>;
  readonly done: number;
};

const FILE = 'checkpoint.safetensors';

/** A fingerprint of what makes two runs comparable: configuration, seed and data. */
export function fingerprint(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/**
 * Writes a checkpoint so that a crash leaves the old one or the new one, never half of one.
 * @throws UndertoneError OUTPUT_FAILED
 */
export async function writeCheckpoint(folder: string, run: string, checkpoint: Checkpoint): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  const { stage, epoch, bestEpoch, bestScore, model, state, members } = checkpoint;
  const store = (prefix: string, map: ReadonlyMap<string, Float32Array>): void => {
    for (const [name, values] of map) tensors.set(`${prefix}/${name}`, { shape: [values.length], values });
  };
  store('value', state.values);
  store('m', new Map([...state.moments].map(([name, { m }]) => [name, m])));
  store('v', new Map([...state.moments].map(([name, { v }]) => [name, v])));
  store('average', state.averages);
  store('best', checkpoint.best);
  store('start', members?.start ?? new Map());
  store('mean', members?.mean ?? new Map());
  const numbers = { stage, epoch, bestEpoch, bestScore, step: state.step, members: members?.done };
  const metadata = { undertone: JSON.stringify({ run, ...numbers, model }) };
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `${FILE}.part`), encodeSafetensors({ tensors, metadata }, 'F32'));
    await rename(join(folder, `${FILE}.part`), join(folder, FILE));
  } catch (cause) {
    throw new UndertoneError('OUTPUT_FAILED', `checkpoint: ${join(folder, FILE)} cannot be written`, { cause });
  }
}

/** Reads a checkpoint, or `undefined` when there is none. @throws UndertoneError BAD_CHECKPOINT */
export async function readCheckpoint(folder: string, run: string): Promise<Checkpoint | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, FILE));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new UndertoneError('BAD_CHECKPOINT', `checkpoint: ${FILE} cannot be read`, { cause });
  }
  try {
    return parseCheckpoint(bytes, run);
  } catch (cause) {
    if (cause instanceof UndertoneError && cause.code === 'BAD_CHECKPOINT') throw cause;
    return damaged(cause instanceof UndertoneError ? cause.message : 'its metadata is not valid', cause);
  }
}

function parseCheckpoint(bytes: Uint8Array, run: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const saved = JSON.parse(metadata['undertone'] ?? '') as Record<string, unknown>;
  if (saved['run'] !== run)
    throw new UndertoneError(
      'BAD_CHECKPOINT',
      'checkpoint: it was made by another configuration, seed or dataset; use another --out folder',
    );
  const model = parseModelConfig(saved['model']);
  const collect = (prefix: string): Map<string, Float32Array> =>
    new Map(
      [...tensors].flatMap(([key, { values }]) =>
        key.startsWith(`${prefix}/`) ? [[key.slice(prefix.length + 1), values] as const] : [],
      ),
    );
  const [values, best, m, v] = [collect('value'), collect('best'), collect('m'), collect('v')];
  const [start, mean] = [collect('start'), collect('mean')];
  for (const map of [values, best, start, mean]) if (map.size > 0) checkValues(model, withoutExtras(map));
  for (const [name, numbers] of [...values, ...m, ...v, ...collect('average')])
    if (values.get(name)?.length !== numbers.length || m.has(name) !== v.has(name) || !numbers.every(Number.isFinite))
      damaged(`"${name}" does not fit or is not finite`);
  const moments = new Map([...m].map(([name, first]) => [name, { m: first, v: v.get(name) as Float32Array }]));
  const number = (name: string): number => {
    const value = saved[name];
    return typeof value === 'number' ? value : damaged(`it holds no ${name}`);
  };
  return {
    model,
    state: { values, moments, averages: collect('average'), step: number('step') },
    stage: number('stage'),
    epoch: number('epoch'),
    bestEpoch: number('bestEpoch'),
    bestScore: number('bestScore'),
    best,
    ...(saved['members'] !== undefined && { members: { start, mean, done: number('members') } }),
  };
}

/** The values of the network alone. */
export function withoutExtras(values: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> {
  return new Map([...values].filter(([name]) => !name.startsWith(EXTRA_PREFIX)));
}

function damaged(rule: string, cause?: unknown): never {
  throw new UndertoneError('BAD_CHECKPOINT', `checkpoint: ${FILE} is damaged: ${rule}`, { cause });
}
