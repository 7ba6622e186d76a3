import { chmodSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { missingWavBytes, toInputFile } from '../../../../adapters/media/ffmpeg/inputFile.ts';
import { createMediaFolder, sine, toWav } from '../../../support/mediaFiles.ts';

const folder = createMediaFolder();
afterAll(() => {
  folder.remove();
});
const missing = async (name: string, bytes: Uint8Array): Promise<number> =>
  missingWavBytes(await toInputFile(folder.write(name, bytes)));
const wav = toWav([sine(440, 0.1)], 16_000);

describe('toInputFile', () => {
  it('names the file to ffmpeg by the file protocol and an absolute path', async () => {
    const file = await toInputFile('package.json');
    expect(file.url.startsWith('file:')).toBe(true);
    expect(isAbsolute(file.url.slice(5))).toBe(true);
    expect(file.sizeBytes).toBeGreaterThan(100);
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(isRoot)(
    `${isRoot ? 'skipped: root may read everything: ' : ''}refuses a file it may not read`,
    async () => {
      const path = folder.write('closed.wav', wav);
      chmodSync(path, 0o000);
      await expect(toInputFile(path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    },
  );
});

describe('missingWavBytes', () => {
  it('counts what the header promises and the file lacks', async () => {
    expect(await missing('whole.wav', wav)).toBe(0);
    expect(await missing('short.wav', wav.subarray(0, wav.length - 600))).toBe(600);
  });

  it('finds the sound behind other chunks, of odd length too', async () => {
    const extra = Uint8Array.of(...new TextEncoder().encode('LIST'), 3, 0, 0, 0, 1, 2, 3, 0);
    const bytes = new Uint8Array([...wav.subarray(0, 36), ...extra, ...wav.subarray(36)]);
    expect(await missing('chunks.wav', bytes)).toBe(0);
    expect(await missing('chunks-cut.wav', bytes.subarray(0, -10))).toBe(10);
  });

  it('expects nothing of a streamed file, of another format, or of a header that breaks off', async () => {
    expect(await missing('streamed.wav', toWav([sine(440, 0.1)], 16_000, 0xffff_ffff))).toBe(0);
    expect(await missing('text.wav', new TextEncoder().encode('RIFFlessness is not a format'))).toBe(0);
    expect(await missing('tiny.wav', wav.subarray(0, 20))).toBe(0);
    expect(await missing('one.wav', wav.subarray(0, 1))).toBe(0);
  });
});
