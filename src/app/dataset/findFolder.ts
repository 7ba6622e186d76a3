import { readdir, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { join } from 'node:path';

/**
 * Returns where the first of `names` lies below a folder, at most two folders deep, as a path from it with `/`; undefined
 * when none does. Archives that are unpacked by hand often come to lie one folder deeper. Hidden folders are not looked at.
 */
export async function findBelow(root: string, names: readonly string[]): Promise<string | undefined> {
  let folders = [''];
  for (let depth = 0; depth <= 2; depth++) {
    for (const name of names)
      for (const folder of folders) if (await exists(join(root, folder, name))) return posix.join(folder, name);
    folders = (await Promise.all(folders.map((folder) => foldersIn(root, folder)))).flat();
  }
  return undefined;
}

/** Returns the names of the files of a folder that end in `ending`, sorted, without hidden ones; empty without a folder. */
export async function filesIn(folder: string, ending: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(ending) && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

async function foldersIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => posix.join(folder, name))
    .sort();
}

/** Returns whether there is a file or folder of this name. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
