import { constants } from 'node:fs';
import { access, open, stat, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UndertoneError } from '../../../src/errors.ts';

/** A file that exists, can be read and has content. `url` names it to ffmpeg and can only ever mean this file. */
export type InputFile = { readonly path: string; readonly url: string; readonly sizeBytes: number };

/**
 * Returns the file at `path`, looked at but not opened. The `file:` protocol and an absolute path keep ffmpeg from taking
 * a name for an option ("-y"), a protocol ("concat:a|b", "http://…") or anything else.
 * @throws UndertoneError FILE_NOT_FOUND for what is absent, unreadable or no regular file; FILE_EMPTY.
 */
export async function toInputFile(path: string): Promise<InputFile> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path}: there is no such file`, { cause });
  });
  if (!found.isFile()) throw new UndertoneError('FILE_NOT_FOUND', `${path}: not a regular file`);
  await access(absolute, constants.R_OK).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path}: the file cannot be read`, { cause });
  });
  if (found.size === 0) throw new UndertoneError('FILE_EMPTY', `${path}: the file is empty (0 bytes)`);
  return { path, url: `file:${absolute}`, sizeBytes: found.size };
}

/** Sizes from here on mean "not known": what a program writes that streams a WAV file and never comes back to the header. */
const UNKNOWN_WAV_BYTES = 0x7fff_f000;
const MAX_CHUNKS = 256;

/**
 * Returns how many bytes of sound a RIFF WAV file promises in its header but does not hold; 0 for a complete file, a
 * streamed one (no size in the header) and any other format. ffmpeg itself reads such a file without a word.
 */
export async function missingWavBytes(file: InputFile): Promise<number> {
  const handle = await open(file.path, 'r');
  try {
    const head = await readAt(handle, 0, 12);
    if (head === null || textAt(head, 0) !== 'RIFF' || textAt(head, 8) !== 'WAVE') return 0;
    for (let at = 12, chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
      const header = await readAt(handle, at, 8);
      if (header === null) return 0;
      const size = header.getUint32(4, true);
      if (textAt(header, 0) === 'data') {
        return size >= UNKNOWN_WAV_BYTES ? 0 : Math.max(0, at + 8 + size - file.sizeBytes);
      }
      at += 8 + size + (size % 2);
    }
    return 0;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<DataView | null> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytesRead === length ? new DataView(bytes.buffer) : null;
}

function textAt(view: DataView, offset: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, offset, 4));
}
