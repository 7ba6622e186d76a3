import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UndertoneError } from '../../errors.ts';

/** Returns what `step` returns. @throws UndertoneError OUTPUT_FAILED with the folder and the system's code when it fails */
export function guardWrites<T>(folder: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw outputFailed(folder, cause);
  }
}

/**
 * Writes a folder so that it is there whole or not at all: `write` fills a temporary folder beside it, which then gets its
 * name. What fails, or is interrupted, leaves nothing behind.
 * @throws UndertoneError OUTPUT_FAILED when the folder is already there or cannot be written, and whatever `write` throws.
 */
export async function writeFolder(folder: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await requireAbsent(folder);
  const temporary = temporaryOf(folder);
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(temporary);
    await write(temporary);
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw cause instanceof Error && 'syscall' in cause ? outputFailed(folder, cause) : cause;
  }
}

/** Returns the folder that {@link writeFolder} of this process fills before it gets its name. */
export function temporaryOf(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.${process.pid}.tmp`);
}

/** Throws when there is something under this name. @throws UndertoneError OUTPUT_FAILED */
export async function requireAbsent(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined)
    throw new UndertoneError('OUTPUT_FAILED', `${folder}: it is there already; nothing was changed`);
}

/** Returns the error for a folder that cannot be written, with the system's code. */
export function outputFailed(folder: string, cause: unknown): UndertoneError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
  return new UndertoneError('OUTPUT_FAILED', `${folder}: cannot be written (${code})`, { cause });
}
