import { afterAll, describe, expect, it } from 'vitest';
import type { AudioBlock, MediaReader, VideoFrame } from '../../src/adapter.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { createMediaFolder, level, picture, rms, sine, tone, toWav } from '../support/mediaFiles.ts';

/** Everything an iterable yields, and the code of the error it ended with. */
export async function drain<T>(items: AsyncIterable<T>): Promise<{ items: T[]; code: unknown }> {
  const found: T[] = [];
  try {
    for await (const item of items) found.push(item);
  } catch (error) {
    return { items: found, code: (error as { code?: unknown }).code ?? error };
  }
  return { items: found, code: null };
}

/** The blocks of a decoder in one piece. */
export function concat(blocks: readonly AudioBlock[]): Float32Array {
  const samples = new Float32Array(blocks.reduce((sum, block) => sum + block.samples.length, 0));
  let at = 0;
  for (const block of blocks) {
    samples.set(block.samples, at);
    at += block.samples.length;
  }
  return samples;
}

/** What cannot be read, the code that says so, and how it is made. */
type Unreadable = [what: string, code: ErrorCode, make: () => string];

/** The suite of every {@link MediaReader}. */
export function describeMediaReader(name: string, createReader: () => MediaReader): void {
  const folder = createMediaFolder();
  const reader = createReader();
  afterAll(() => {
    folder.remove();
  });
  const audio = (path: string, channel?: number): Promise<{ items: AudioBlock[]; code: unknown }> =>
    drain(reader.decodeAudio(path, channel === undefined ? {} : { channel }));
  const pictures = { framesPerSecond: 5, width: 32, height: 24, format: 'gray' } as const;
  const codeOfProbe = async (path: string): Promise<unknown> =>
    reader.probe(path).then(
      () => null,
      (error: { code?: unknown }) => error.code,
    );

  describe(`the media reader contract: ${name}`, () => {
    it('tells duration, channels, rate, codec and picture size of a file', async () => {
      const path = folder.make('probe.mp4', [
        ...tone(2, 48_000),
        ...picture(2),
        '-ac',
        '2',
        '-c:a',
        'aac',
        '-c:v',
        'mpeg4',
      ]);
      const { durationMs, audio: sound, video } = await reader.probe(path);
      expect(durationMs).toBeGreaterThan(1_950);
      expect(durationMs).toBeLessThan(2_100);
      expect(sound).toEqual([{ index: 1, channels: 2, sampleRateHz: 48_000, codec: 'aac' }]);
      expect(video).toEqual([{ index: 0, width: 64, height: 48, framesPerSecond: 10 }]);
    });

    it('yields blocks of at most 100 ms that follow one another without holes', async () => {
      const path = folder.write('blocks.wav', toWav([sine(440, 1.234)], 16_000));
      const { items, code } = await audio(path);
      expect(code).toBeNull();
      let samples = 0;
      for (const block of items) {
        expect(block.startMs).toBe(samples / 16);
        expect(block.samples.length).toBeGreaterThan(0);
        expect(block.samples.length).toBeLessThanOrEqual(1_600);
        samples += block.samples.length;
      }
      expect(samples).toBe(Math.round(1.234 * 16_000));
    });

    it('gives 16 kHz samples back as they are in the file', async () => {
      const original = sine(300, 0.5, 0.8);
      const { items } = await audio(folder.write('same.wav', toWav([original], 16_000)));
      const decoded = concat(items);
      expect(decoded.length).toBe(original.length);
      original.forEach((sample, index) => {
        expect(Math.abs((decoded[index] ?? 9) - sample)).toBeLessThan(1 / 16_000); // 16-bit steps
      });
    });

    it('mixes all channels down to their mean, which cannot clip', async () => {
      const loud = folder.write('loud.wav', toWav([level(0.9, 1), level(0.9, 1), level(0.9, 1)], 16_000));
      expect(concat((await audio(loud)).items).every((sample) => Math.abs(sample - 0.9) < 1e-3)).toBe(true);
      const one = folder.write('one.wav', toWav([level(0, 1), level(0, 1), level(0, 1), level(0.8, 1)], 16_000));
      expect(concat((await audio(one)).items).every((sample) => Math.abs(sample - 0.2) < 1e-3)).toBe(true);
    });

    it('decodes one channel alone when asked', async () => {
      const path = folder.write('two.wav', toWav([level(0.25, 1), level(-0.5, 1)], 16_000));
      expect(rms(concat((await audio(path, 0)).items))).toBeCloseTo(0.25, 3);
      expect(rms(concat((await audio(path, 1)).items))).toBeCloseTo(0.5, 3);
    });

    it('refuses a channel that the file does not have', async () => {
      const path = folder.write('mono.wav', toWav([level(0.25, 0.2)], 16_000));
      expect(await audio(path, 1)).toEqual({ items: [], code: 'BAD_CHANNELS' satisfies ErrorCode });
    });

    it.each([-1, 0.5, Number.NaN])('throws a RangeError at the call for channel %s', (channel) => {
      expect(() => reader.decodeAudio('any.wav', { channel })).toThrow(RangeError);
    });

    it.each([
      { ...pictures, framesPerSecond: 0 },
      { ...pictures, framesPerSecond: Number.NaN },
      { ...pictures, width: 0 },
      { ...pictures, height: 2.5 },
      { ...pictures, width: 1e6 },
    ])('throws a RangeError at the call for pictures of %j', (selection) => {
      expect(() => reader.decodeVideo('any.mp4', selection)).toThrow(RangeError);
    });

    it.each([
      ['a file that is not there', 'FILE_NOT_FOUND', () => '/nowhere/at/all.wav'],
      ['a folder', 'FILE_NOT_FOUND', () => '/'],
      ['an empty file', 'FILE_EMPTY', () => folder.write('empty.wav', '')],
      ['a text', 'NOT_MEDIA', () => folder.write('text.txt', 'Nothing to hear.\n'.repeat(500))],
      ['a text called .wav', 'NOT_MEDIA', () => folder.write('text.wav', 'Nothing to hear.\n'.repeat(500))],
      ['captions', 'NOT_MEDIA', () => folder.write('a.srt', '1\n00:00:01,000 --> 00:00:02,000\nHello\n')],
      ['a single picture', 'NOT_MEDIA', () => folder.make('a.png', [...picture(1), '-frames:v', '1'])],
    ] satisfies readonly Unreadable[])('says that it cannot read %s, with code %s', async (_what, code, make) => {
      const path = make();
      expect(await codeOfProbe(path)).toBe(code);
      expect(await audio(path)).toEqual({ items: [], code });
      expect(await drain(reader.decodeVideo(path, pictures))).toEqual({ items: [], code });
    });

    it('says that a film without sound has none', async () => {
      const path = folder.make('mute.mp4', [...picture(1), '-c:v', 'mpeg4']);
      expect((await reader.probe(path)).audio).toEqual([]);
      expect(await audio(path)).toEqual({ items: [], code: 'NO_AUDIO' satisfies ErrorCode });
    });

    it('yields no pictures of a file that has only sound', async () => {
      const path = folder.write('sound.wav', toWav([level(0.1, 0.2)], 16_000));
      expect(await drain(reader.decodeVideo(path, pictures))).toEqual({ items: [], code: null });
    });

    it('yields what could be decoded of a file that breaks off, then throws DECODE_ERROR', async () => {
      const whole = folder.make('whole.mp4', [...tone(4), '-c:a', 'aac', '-movflags', '+faststart']);
      const { items, code } = await audio(folder.truncate(whole, 0.5, 'half.mp4'));
      const seconds = concat(items).length / 16_000;
      expect(code).toBe('DECODE_ERROR' satisfies ErrorCode);
      expect(seconds).toBeGreaterThan(1);
      expect(seconds).toBeLessThan(3);
    });

    it('yields pictures at a constant rate, of the size and format asked for', async () => {
      const path = folder.make('film.mp4', [...picture(2), '-c:v', 'mpeg4']);
      for (const [format, bytes] of [
        ['gray', 1],
        ['rgba', 4],
      ] as const) {
        const { items, code } = await drain(reader.decodeVideo(path, { ...pictures, format }));
        expect(code).toBeNull();
        expect(items.map(({ atMs }) => atMs)).toEqual([0, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800]);
        expect(items.every(({ pixels }) => pixels.length === 32 * 24 * bytes)).toBe(true);
        expect(items.every(({ width, height }) => width === 32 && height === 24)).toBe(true);
      }
    });

    it('gives each picture memory of its own', async () => {
      const path = folder.make('own.mp4', [...picture(1), '-c:v', 'mpeg4']);
      const { items } = await drain<VideoFrame>(reader.decodeVideo(path, pictures));
      expect(new Set(items.map(({ pixels }) => pixels.buffer)).size).toBe(items.length);
    });

    it('can be left early and begun again, each loop from the start', async () => {
      const path = folder.write('again.wav', toWav([sine(440, 20)], 16_000));
      const decoder = (): AsyncIterable<AudioBlock> => reader.decodeAudio(path);
      const first: AudioBlock[] = [];
      for await (const block of decoder()) {
        first.push(block);
        if (first.length === 3) break;
      }
      const second = (await drain(decoder())).items;
      expect(first.map(({ startMs }) => startMs)).toEqual([0, 100, 200]);
      expect(second.slice(0, 3)).toEqual(first);
      expect(second).toHaveLength(200);
    });
  });
}
