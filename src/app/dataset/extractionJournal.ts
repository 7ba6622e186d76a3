import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fnv1a } from '../../model/fingerprint.ts';
import type { AudioMeasures } from './audioMeasures.ts';
import { guardWrites } from './outputFolder.ts';

/**
 * What an extraction has measured so far, on disk: an interrupted one goes on where it stopped. It belongs to one process
 * at a time. `measured` are the rows that were found; `append` adds one and returns when it is written.
 */
export type ExtractionJournal = {
  readonly measured: ReadonlyMap<number, AudioMeasures>;
  append(index: number, measures: AudioMeasures): void;
  /** Leaves the file for the next process. */
  suspend(): void;
  /** Removes the file, whose content is now elsewhere. */
  remove(): void;
};

const PROSODY_SIZE = 8;
const HEADER_BYTES = 12;
const CHECK_BYTES = 4;

/**
 * Opens the journal of the extraction `key` in a folder: the one that was left there, or one whose process is gone, or a
 * new one. A record that was cut off while it was written is dropped. Layout, little-endian: row, has prosody (0 or 1),
 * number of segment values (u32 each), the values (f32), FNV-1a of all before it (u32).
 * @throws UndertoneError OUTPUT_FAILED
 */
export function openJournal(folder: string, key: string): ExtractionJournal {
  const shared = join(folder, `${key}.part`);
  const own = join(folder, `${key}.${process.pid}.part`);
  return guardWrites(folder, () => {
    const left = claimable(folder, key).find((path) => isRenamed(path, own));
    const file = openSync(own, left === undefined ? 'w+' : 'r+');
    const { measured, sizeBytes } = readRecords(readFileSync(own));
    ftruncateSync(file, sizeBytes);
    let at = sizeBytes;
    let isOpen = true;
    const close = (): void => {
      if (isOpen) closeSync(file);
      isOpen = false;
    };
    return {
      measured,
      append: (index, measures) =>
        guardWrites(folder, () => {
          measured.set(index, measures);
          const record = toRecord(index, measures);
          for (let done = 0; done < record.length;)
            done += writeSync(file, record, done, record.length - done, at + done);
          at += record.length;
        }),
      suspend: () => {
        close();
        isRenamed(own, shared);
      },
      remove: () => {
        close();
        rmSync(own, { force: true });
      },
    };
  });
}

/** Journals that nobody writes: left behind on purpose, or by a process that is no more. */
function claimable(folder: string, key: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${key}.`) && name.endsWith('.part'))
    .filter((name) => {
      const owner = name.slice(key.length + 1, -'.part'.length);
      return owner === '' || name === `${key}.part` || (/^\d+$/.test(owner) && !isAlive(Number(owner)));
    })
    .map((name) => join(folder, name));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Renaming is atomic: of two processes that want a journal, one gets it. */
function isRenamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function toRecord(index: number, { prosody8, segments }: AudioMeasures): Uint8Array {
  const prosody = prosody8 ?? new Float32Array(0);
  const record = new Uint8Array(HEADER_BYTES + (prosody.length + segments.length) * 4 + CHECK_BYTES);
  const view = new DataView(record.buffer);
  [index, prosody.length > 0 ? 1 : 0, segments.length].forEach((value, i) => view.setUint32(4 * i, value, true));
  [...prosody, ...segments].forEach((value, i) => view.setFloat32(HEADER_BYTES + 4 * i, value, true));
  const end = record.length - CHECK_BYTES;
  view.setUint32(end, fnv1a(record.subarray(0, end)), true);
  return record;
}

/** The records up to the first that is not whole, and how many bytes they take. */
function readRecords(bytes: Uint8Array): { readonly measured: Map<number, AudioMeasures>; readonly sizeBytes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const measured = new Map<number, AudioMeasures>();
  let at = 0;
  while (at + HEADER_BYTES + CHECK_BYTES <= bytes.length) {
    const [index, hasProsody, segments] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const prosody = hasProsody === 1 ? PROSODY_SIZE : 0;
    const end = at + HEADER_BYTES + (prosody + segments) * 4;
    if (end + CHECK_BYTES > bytes.length) break;
    if (view.getUint32(end, true) !== fnv1a(bytes.subarray(at, end))) break;
    const from = at + HEADER_BYTES;
    const values = Float32Array.from({ length: prosody + segments }, (_, i) => view.getFloat32(from + 4 * i, true));
    measured.set(index, {
      prosody8: prosody > 0 ? values.slice(0, prosody) : undefined,
      segments: values.slice(prosody),
    });
    at = end + CHECK_BYTES;
  }
  return { measured, sizeBytes: at };
}
