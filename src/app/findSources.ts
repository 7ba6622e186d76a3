import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UndertoneError } from '../errors.ts';

/** Where a source of data was found: what it is, and the file or folder. */
export type FoundSource = { readonly kind: 'dataset' | 'motion' | 'texts'; readonly path: string };

const TEXTS = /\.jsonl(\.gz)?$/;
const DEPTH = 2;

/**
 * Finds the data below folders: datasets in format 1 by their name, motion-capture sets, and text corpora (`*.jsonl.gz`) by
 * their file name. A folder of such folders may be given, too. The first of equal names wins.
 * @throws UndertoneError FILE_NOT_FOUND, BAD_DATASET when a folder holds nothing of the kind
 */
export async function findSources(folders: readonly string[]): Promise<Map<string, FoundSource>> {
  const found = new Map<string, FoundSource>();
  for (const folder of folders) {
    if ((await search(folder, DEPTH, found)) === 0)
      throw new UndertoneError(
        'BAD_DATASET',
        `${folder}: it holds no dataset (meta.json) and no text corpus (*.jsonl.gz)`,
      );
  }
  return found;
}

/** Adds what a folder holds, and returns how much that is, names that were known already included. */
async function search(folder: string, depth: number, found: Map<string, FoundSource>): Promise<number> {
  const entries = await readdir(folder).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${folder} cannot be read`, { cause });
  });
  const add = (name: string, source: FoundSource): number => {
    if (!found.has(name)) found.set(name, source);
    return 1;
  };
  if (entries.includes('meta.json')) {
    const { name, isFormat1 } = await peek(join(folder, 'meta.json'));
    return add(name ?? basename(folder), { kind: isFormat1 ? 'dataset' : 'motion', path: folder });
  }
  let count = 0;
  for (const entry of entries.sort()) {
    const path = join(folder, entry);
    if (TEXTS.test(entry)) count += add(entry.replace(TEXTS, ''), { kind: 'texts', path });
    else if (depth > 1 && (await stat(path).catch(() => undefined))?.isDirectory())
      count += await search(path, depth - 1, found);
  }
  return count;
}

/** Reads the name of a dataset; whether the rest is right is for its reader to say. */
async function peek(path: string): Promise<{ name: string | undefined; isFormat1: boolean }> {
  try {
    const { name, format, sequences } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    return {
      name: typeof name === 'string' ? name : undefined,
      isFormat1: format !== undefined || sequences === undefined,
    };
  } catch {
    return { name: undefined, isFormat1: true };
  }
}
