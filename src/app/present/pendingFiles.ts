import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { UndertoneError } from '../../errors.ts';

/** The few file calls that writing needs, synchronous so that nothing is buffered; `node:fs` by default. */
export type FileCalls = {
  makeFolder(path: string): void;
  open(path: string): number;
  /** Writes at least one byte of what is given and returns how many. */
  write(file: number, bytes: Uint8Array): number;
  /** Returns once what was written is on the disk. */
  sync(file: number): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
};

/** Files of one folder that appear under their names all at the end, or not at all. */
export type PendingFiles = {
  /** Starts a file under a temporary name. */
  begin(name: string): void;
  append(name: string, text: string): void;
  /** Gives every file its name, replacing what had it. */
  publish(): void;
  /** Removes what was written so far; does nothing after {@link PendingFiles.publish}. Never throws. */
  discard(): void;
};

const NODE_CALLS: FileCalls = {
  makeFolder: (path) => void mkdirSync(path, { recursive: true }),
  open: (path) => openSync(path, 'wx'),
  write: writeSync,
  sync: fsyncSync,
  close: closeSync,
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
};

/**
 * Returns pending files in a folder, which is created when missing. Every call that fails removes all temporary files.
 * @throws UndertoneError OUTPUT_FAILED, from this and from every call but `discard`, naming the file and the system's code.
 */
export function createPendingFiles(folder: string, calls: FileCalls = NODE_CALLS): PendingFiles {
  const files = new Map<string, { readonly handle: number; readonly temporary: string }>();
  const suffix = `${process.pid}.${Math.random().toString(36).slice(2, 8)}.tmp`;
  const discard = (): void => {
    for (const { handle, temporary } of files.values()) {
      quietly(() => calls.close(handle));
      quietly(() => calls.remove(temporary));
    }
    files.clear();
  };
  const guarded = (path: string, step: () => void): void => {
    try {
      step();
    } catch (cause) {
      discard();
      throw new UndertoneError('OUTPUT_FAILED', `${path}: cannot be written (${systemCode(cause)})`, { cause });
    }
  };
  guarded(folder, () => calls.makeFolder(folder));
  return {
    begin: (name) =>
      guarded(join(folder, name), () => {
        const temporary = join(folder, `.${name}.${suffix}`);
        files.set(name, { handle: calls.open(temporary), temporary });
      }),
    append: (name, text) => guarded(join(folder, name), () => writeAll(calls, files.get(name)?.handle, text)),
    publish() {
      for (const [name, { handle }] of files) guarded(join(folder, name), () => calls.sync(handle));
      for (const [name, { handle, temporary }] of files) {
        guarded(join(folder, name), () => {
          calls.close(handle);
          calls.rename(temporary, join(folder, name));
        });
        files.delete(name);
      }
    },
    discard,
  };
}

function writeAll(calls: FileCalls, handle: number | undefined, text: string): void {
  if (handle === undefined) throw new TypeError('append needs a file that was begun and is not yet published');
  for (let rest: Uint8Array = Buffer.from(text); rest.length > 0;) rest = rest.subarray(calls.write(handle, rest));
}

function systemCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
}

function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // Cleaning up after a failure: the failure itself is what gets reported.
  }
}
