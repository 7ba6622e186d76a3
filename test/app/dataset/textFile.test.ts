import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTextFile } from '../../../src/app/dataset/textFile.ts';
import { writeBytes } from '../../support/mediaDataset.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

async function read(bytes: Uint8Array | string): Promise<string> {
  const folder = await newFolder();
  await writeBytes(folder, 'a.txt', bytes);
  return readTextFile(folder, 'a.txt');
}

describe('readTextFile', () => {
  it('gives back any UTF-8 text that holds no C1 control character.', async () => {
    const folder = await newFolder();
    const text = fc.string({ unit: 'grapheme' }).filter((t) => !/[\u0080-\u009f\ufeff]|\p{Cs}/u.test(t));
    const check = async (said: string): Promise<void> => {
      await writeFile(join(folder, 'a.txt'), said);
      expect(await readTextFile(folder, 'a.txt')).toBe(said);
    };
    await fc.assert(fc.asyncProperty(text, check), { numRuns: 50 });
  });

  it.each([
    ['quotes', [0x91, 0x92, 0x93, 0x94], '‘’“”'],
    ['dashes and dots', [0x96, 0x97, 0x85, 0x95], '–—…•'],
    ['letters', [0xe9, 0x9c, 0x9f, 0x8a, 0x80], 'éœŸŠ€'],
    ['bytes that stand for nothing', [0x81, 0xe9], ' é'],
  ])('reads Windows-1252 %s.', async (_, bytes, said) => {
    expect(await read(Uint8Array.from(bytes))).toBe(said);
  });

  it('drops a byte order mark, keeps line ends, and reads an empty file.', async () => {
    expect(await read('\ufeffa\r\nb\n')).toBe('a\r\nb\n');
    expect(await read('')).toBe('');
  });

  it('refuses what is not there, a folder, and what is larger than 64 MiB.', async () => {
    const folder = await newFolder();
    await expect(readTextFile(folder, 'none.txt')).rejects.toMatchObject({ code: 'BAD_DATASET' });
    await expect(readTextFile(folder, '.')).rejects.toMatchObject({ code: 'BAD_DATASET' });
    await writeBytes(folder, 'a.txt', '');
    await truncate(join(folder, 'a.txt'), 64 * 2 ** 20 + 1);
    await expect(readTextFile(folder, 'a.txt')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
