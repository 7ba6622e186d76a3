import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../../errors.ts';
import { badDataset } from '../../training/datasetMeta.ts';

/** The largest text file of a release that is read. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Returns the text of a file below a folder: UTF-8 with or without byte order mark, or else Windows-1252. Where a file was
 * converted wrongly before, so that Windows-1252 punctuation arrives as control characters, it becomes punctuation again.
 * Line ends are as in the file.
 * @throws UndertoneError BAD_DATASET when it cannot be read, LIMIT_EXCEEDED past 64 MiB
 */
export async function readTextFile(folder: string, file: string): Promise<string> {
  const text = decode(await readBytes(folder, file));
  return text.replace(/[\u0080-\u009f]/g, (control) => CP1252[control.charCodeAt(0) - 0x80] ?? control);
}

/** Windows-1252 from 0x80 on, a blank where it has no character. The `TextDecoder` of Node 20 and 22 takes it for Latin 1. */
const CP1252 = [...'€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'];

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}

async function readBytes(folder: string, file: string): Promise<Uint8Array> {
  const handle = await open(join(folder, file)).catch(() => badDataset(file, `it cannot be read from ${folder}`));
  try {
    if ((await handle.stat()).size > MAX_BYTES)
      throw new UndertoneError('LIMIT_EXCEEDED', `dataset: ${file}: it is larger than ${MAX_BYTES / 2 ** 20} MiB`);
    return await handle.readFile().catch(() => badDataset(file, `it cannot be read from ${folder}`));
  } finally {
    await handle.close();
  }
}
