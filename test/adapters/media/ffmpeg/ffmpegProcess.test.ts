import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { readFfmpeg } from '../../../../adapters/media/ffmpeg/ffmpegProcess.ts';
import type { AudioBlock } from '../../../../src/adapter.ts';
import { drain } from '../../../contracts/mediaReader.ts';
import { makeFakeFfmpeg } from '../../../support/mediaFakeFfmpeg.ts';
import { createMediaFolder, sine, toWav } from '../../../support/mediaFiles.ts';

const folder = createMediaFolder();
afterAll(() => {
  folder.remove();
});
const wav = folder.write('sound.wav', toWav([sine(440, 0.1)], 16_000));
const BLOCK_BYTES = 6_400;

/** Writes blocks of 100 ms for ever, as fast as they are taken, and notes how many were. */
const ENDLESS = `
  const block = Buffer.alloc(${BLOCK_BYTES});
  for (;;) { fs.writeSync(1, block); note('block'); }
`;

/** Open processes; a closed handle counts until the loop has turned, twice at most. */
async function children(): Promise<number> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;
}

function isAlive(notes: string): boolean {
  const pid = Number(/pid (\d+)/.exec(readFileSync(notes, 'utf8'))?.[1]);
  expect(pid).toBeGreaterThan(1);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const title = process.platform === 'win32' ? 'skipped: fake binaries need a shebang; the process' : 'the process';
describe.skipIf(process.platform === 'win32')(`${title} behind a decoder`, () => {
  it('decodes no faster than it is read: what waits is bounded by the buffers of a pipe', async () => {
    const { binary, notes } = makeFakeFfmpeg(folder, 'endless', ENDLESS);
    const blocks: AudioBlock[] = [];
    for await (const block of createFfmpegReader({ binary }).decodeAudio(wav)) {
      blocks.push(block);
      await new Promise((resolve) => setImmediate(resolve));
      if (blocks.length === 300) break;
    }
    const written = readFileSync(notes, 'utf8').match(/block/g)?.length ?? 0;
    expect(blocks.at(-1)?.startMs).toBe(29_900);
    expect(written).toBeGreaterThanOrEqual(300 - 1);
    expect((written - 300) * BLOCK_BYTES).toBeLessThan(512 * 1_024);
  });

  it.each(['break', 'throw', 'return'])('is gone when the loop ends early by %s', async (way) => {
    const { binary, notes } = makeFakeFfmpeg(folder, `early-${way}`, ENDLESS);
    const before = await children();
    const blocks = createFfmpegReader({ binary }).decodeAudio(wav);
    const loop = async (): Promise<void> => {
      for await (const _ of blocks) {
        if (way === 'break') break;
        if (way === 'throw') throw new Error('enough');
        return;
      }
    };
    await loop().catch((error: unknown) => {
      expect(error).toEqual(new Error('enough'));
    });
    expect(isAlive(notes)).toBe(false);
    expect(await children()).toBe(before);
  });

  it('is gone after twenty loops that were left early, and no listener of ours stays on the process', async () => {
    const { binary } = makeFakeFfmpeg(folder, 'many', ENDLESS);
    const counts = (): number[] => process.eventNames().map((event) => process.listenerCount(event));
    const [before, listeners] = [await children(), counts()];
    const reader = createFfmpegReader({ binary });
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 2 }, async () => {
          for await (const _ of reader.decodeAudio(wav)) break;
        }),
      );
    }
    expect(await children()).toBe(before);
    expect(counts()).toEqual(listeners);
  });

  it('starts only when the loop does', async () => {
    const { binary, notes } = makeFakeFfmpeg(folder, 'lazy', ENDLESS);
    const blocks = createFfmpegReader({ binary }).decodeAudio(wav);
    await new Promise((resolve) => setImmediate(resolve));
    expect(readFileSync(notes, 'utf8')).toBe('');
    for await (const _ of blocks) break;
    expect(readFileSync(notes, 'utf8')).toContain('pid');
  });

  it('yields what came before it died, then throws DECODE_ERROR with its exit code', async () => {
    const died = `fs.writeSync(1, Buffer.alloc(${BLOCK_BYTES * 2 + 3})); process.exitCode = 69;`;
    const { binary } = makeFakeFfmpeg(folder, 'dies', died);
    const reader = createFfmpegReader({ binary });
    const { items, code } = await drain(reader.decodeAudio(wav));
    expect(items.map(({ startMs }) => startMs)).toEqual([0, 100]);
    expect(code).toBe('DECODE_ERROR');
    await expect(drainAll(reader.decodeAudio(wav))).rejects.toThrow(/exit code 69$/);
  });

  it('reports a signal that ended it', async () => {
    const { binary } = makeFakeFfmpeg(folder, 'killed', `process.kill(process.pid, 'SIGKILL'); for (;;);`);
    await expect(drainAll(createFfmpegReader({ binary }).decodeAudio(wav))).rejects.toMatchObject({
      code: 'DECODE_ERROR',
    });
  });

  it('maps what it says on stderr to a rule and shows none of its words', async () => {
    const says = `fs.writeSync(2, "[mov] My secret title: Invalid data found when processing input\\n");`;
    const { binary } = makeFakeFfmpeg(folder, 'says', says);
    const error: unknown = await drainAll(createFfmpegReader({ binary }).decodeAudio(wav)).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'DECODE_ERROR', message: `${wav}: a part is damaged` });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('gives lines cut to 2,048 characters, however long the line and however it arrives', async () => {
    const floods = `for (let i = 0; i < 500; i += 1) fs.writeSync(2, 'x'.repeat(10000)); fs.writeSync(2, '\\nlast');`;
    const { binary } = makeFakeFfmpeg(folder, 'floods', floods);
    const lines: string[] = [];
    for await (const _ of readFfmpeg(binary.path, ['pipe:1'], (line) => lines.push(line)));
    expect(lines.map(({ length }) => length)).toEqual([2_048, 4]);
  });

  it('does not wait for a keyboard', async () => {
    const { binary, notes } = makeFakeFfmpeg(
      folder,
      'stdin',
      `note('stdin ' + fs.readFileSync(0).length + ' ' + args[0]);`,
    );
    await drainAll(
      createFfmpegReader({ binary }).decodeVideo(wav, { framesPerSecond: 1, width: 1, height: 1, format: 'gray' }),
    );
    await drainAll(readFfmpeg(binary.path, ['-nostdin', 'pipe:1'], () => undefined));
    expect(readFileSync(notes, 'utf8')).toContain('stdin 0 -nostdin');
  });

  it('is called missing when it does not start', async () => {
    const path = folder.write('not-a-program', 'text without a shebang \0');
    const binary = { path, version: '1', source: 'PATH' } as const;
    await expect(createFfmpegReader({ binary }).probe(wav)).rejects.toMatchObject({ code: 'FFMPEG_MISSING' });
    await expect(createFfmpegReader({ binary: { ...binary, path: '/no/ffmpeg' } }).probe(wav)).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
    });
  });
});

async function drainAll(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
