import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';
import { UndertoneError } from '../../errors.ts';

/** Returns the folder in which models are looked for: UNDERTONE_MODELS when set, else `~/.cache/undertone/models`. */
export function modelsFolder(env: Readonly<Record<string, string | undefined>>, home: string = homedir()): string {
  const named = env['UNDERTONE_MODELS'] ?? '';
  return named === '' ? join(home, '.cache', 'undertone', 'models') : named;
}

/** What is known of a model's file; `reason` says why it cannot be used. */
export type ModelState = { readonly isThere: true } | { readonly isThere: false; readonly reason: string };

/** Returns whether a model lies in the folder, whole and unchanged. */
export async function verifyModel(model: CatalogueModel, folder: string): Promise<ModelState> {
  const bytes = await readIfThere(join(folder, model.file));
  if (!bytes) return { isThere: false, reason: 'not there' };
  const fault = faultOf(model, bytes);
  return fault ? { isThere: false, reason: fault } : { isThere: true };
}

/**
 * Returns the bytes of a model, checked: from the folder, or built from its package when the folder has none.
 * @throws UndertoneError BAD_MODEL when they are not those of the catalogue; FILE_NOT_FOUND when it must be downloaded first.
 */
export async function readModel(model: CatalogueModel, folder: string): Promise<Uint8Array> {
  const bytes = await readIfThere(join(folder, model.file));
  if (bytes) return checked(model, bytes);
  if (model.origin.kind === 'build') return checked(model, await model.origin.build());
  throw new UndertoneError('FILE_NOT_FOUND', `${model.file} is not there; undertone models pull ${model.name} gets it`);
}

/** Writes a model into the folder, whole or not at all. @throws UndertoneError BAD_MODEL, OUTPUT_FAILED */
export async function keepModel(model: CatalogueModel, folder: string, bytes: Uint8Array): Promise<void> {
  checked(model, bytes);
  const partial = join(folder, `${model.file}.${randomUUID()}.partial`);
  try {
    await mkdir(dirname(partial), { recursive: true });
    await writeFile(partial, bytes);
    await rename(partial, join(folder, model.file));
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw new UndertoneError('OUTPUT_FAILED', `${model.file} cannot be written`, { cause });
  }
}

function checked(model: CatalogueModel, bytes: Uint8Array): Uint8Array {
  const fault = faultOf(model, bytes);
  if (fault) throw new UndertoneError('BAD_MODEL', `${model.file} ${fault}`);
  return bytes;
}

function faultOf({ sizeBytes, sha256 }: CatalogueModel, bytes: Uint8Array): string | undefined {
  if (bytes.length !== sizeBytes) return `has ${bytes.length} bytes instead of ${sizeBytes}`;
  return createHash('sha256').update(bytes).digest('hex') === sha256
    ? undefined
    : 'has another sha256 than the catalogue';
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UndertoneError('FILE_NOT_FOUND', `${path} cannot be read`, { cause: error });
  }
}
