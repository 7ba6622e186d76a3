import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createWhisperRecognizer } from '../../../../adapters/asr/whisper/createWhisperRecognizer.ts';
import {
  loadWhisper,
  type WhisperBinding,
  type WhisperSegment,
} from '../../../../adapters/asr/whisper/whisperBinding.ts';
import type { Recognizer } from '../../../../src/adapter.ts';
import { describeRecognizer, listenTo, writeAll } from '../../../contracts/recognizer.ts';
import { createLevelDetector } from '../../../support/levelDetector.ts';
import { sine } from '../../../support/mediaFiles.ts';

/** Bursts of a tone, each `[startMs, endMs]`, in silence. */
function bursts(durationMs: number, ...spans: readonly (readonly [number, number])[]): Float32Array {
  const samples = new Float32Array(durationMs * 16);
  for (const [startMs, endMs] of spans) samples.set(sine(300, (endMs - startMs) / 1_000, 0.5), startMs * 16);
  return samples;
}

/** A segment over all of `samples`, as whisper.cpp tells it: special tokens around pieces of words. */
function segment(samples: Float32Array, text: string, confidence = 0.9): WhisperSegment {
  const to = samples.length / 16;
  const pieces = text.match(/ ?[^ ]+/gu) ?? [];
  const tokens = pieces.map((piece, index) => ({
    text: piece,
    p: confidence,
    from: (index * to) / pieces.length,
    to: ((index + 1) * to) / pieces.length,
  }));
  return { from: 0, to, text, lang: 'en', confidence, tokens: [{ text: '[_BEG_]', p: 1, from: 0, to: 0 }, ...tokens] };
}

type Fake = WhisperBinding & {
  readonly given: { samples: Float32Array; language: string | undefined }[];
  isFree: boolean;
};

/** A model that says how long what it was given is; it must be given one piece at a time and nothing when freed. */
function createFake(
  answer = (samples: Float32Array): readonly WhisperSegment[] => [
    segment(samples, ` Heard ${Math.round(samples.length / 1_600)} tenths.`),
  ],
): Fake {
  let isBusy = false;
  const fake: Fake = {
    given: [],
    isFree: false,
    transcribe: async (samples, language) => {
      expect(isBusy || fake.isFree).toBe(false);
      isBusy = true;
      fake.given.push({ samples, language });
      await new Promise((resolve) => setImmediate(resolve));
      isBusy = false;
      return answer(samples);
    },
    free: async () => {
      expect(isBusy).toBe(false);
      fake.isFree = true;
    },
  };
  return fake;
}
const create = (fake: Fake = createFake()): Promise<Recognizer> =>
  createWhisperRecognizer({ modelPath: 'model.bin', vad: createLevelDetector(), load: async () => fake });

describeRecognizer('whisper', {
  create: () => create(),
  speech: async () => bursts(3_000, [500, 1_100], [1_900, 2_400]),
});

describe('createWhisperRecognizer', () => {
  it('recognizes each piece of speech when it has ended, with its place in the stream', async () => {
    const fake = createFake();
    const { stream, heard } = await listenTo(await create(fake));
    await writeAll(stream, bursts(2_000, [500, 1_100]));
    expect(heard.finals()).toHaveLength(1);
    await writeAll(stream, bursts(1_000, [200, 700]));
    await stream.end();
    const [first, second] = heard.finals();
    expect(first?.startMs).toBeGreaterThan(250);
    expect(first?.startMs).toBeLessThanOrEqual(500);
    expect(first?.endMs).toBeGreaterThanOrEqual(1_100);
    expect(second?.startMs).toBeGreaterThan(1_950);
    expect(second?.startMs).toBeLessThanOrEqual(2_200);
    expect(first).toMatchObject({ language: 'en', confidence: 0.9 });
    expect(first?.words?.map(({ text }) => text)).toEqual(['Heard', expect.stringMatching(/^\d+$/u), 'tenths.']);
    stream.close();
  });

  it('never asks about silence or a click', async () => {
    const fake = createFake();
    const { stream } = await listenTo(await create(fake));
    await writeAll(stream, bursts(5_000, [1_000, 1_050], [3_000, 3_020]));
    await stream.end();
    expect(fake.given).toEqual([]);
  });

  it('cuts speech without a pause into pieces of at most 25 s that lose nothing', async () => {
    const fake = createFake();
    const { stream } = await listenTo(await create(fake));
    await writeAll(stream, bursts(60_000, [0, 60_000]));
    await stream.end();
    const lengths = fake.given.map(({ samples }) => samples.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(25_100 * 16);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeGreaterThanOrEqual(60_000 * 16 - 512);
  });

  it('passes the language on', async () => {
    const fake = createFake();
    const recognizer = await create(fake);
    const stream = await recognizer.open({ language: 'de-CH', onEvent: () => undefined, onError: () => undefined });
    await writeAll(stream, bursts(1_000, [0, 500]));
    await stream.end();
    expect(fake.given.map(({ language }) => language)).toEqual(['de-CH']);
  });

  it('fails once, without the text, when the model throws; other streams go on', async () => {
    let count = 0;
    const fake = createFake((samples) => {
      count += 1;
      if (count === 1) throw new Error('secret words');
      return [segment(samples, ' Fine.')];
    });
    const recognizer = await create(fake);
    const [first, second] = [await listenTo(recognizer), await listenTo(recognizer)];
    await writeAll(first.stream, bursts(1_000, [0, 500]));
    await first.stream.end();
    await writeAll(second.stream, bursts(1_000, [0, 500]));
    await second.stream.end();
    expect(first.heard.errors.map(({ code }) => code)).toEqual(['RECOGNIZER_FAILED']);
    expect(first.heard.errors[0]?.message).not.toContain('secret');
    expect(second.heard.finals().map(({ text }) => text)).toEqual(['Fine.']);
  });

  it('waits for the piece under way before it frees the model, and leaves no detector stream open', async () => {
    const fake = createFake();
    const vad = createLevelDetector();
    const recognizer = await createWhisperRecognizer({ modelPath: 'm', vad, load: async () => fake });
    for (let round = 0; round < 100; round += 1) {
      const { stream } = await listenTo(recognizer);
      void stream.write(bursts(1_000, [0, 400]));
      stream.close();
    }
    await recognizer.close();
    expect(fake.isFree).toBe(true);
    expect(vad.openStreams()).toBe(0);
  });

  it('refuses more sound than may wait', async () => {
    const { stream } = await listenTo(await create());
    expect(() => stream.write(new Float32Array(960_001))).toThrow(RangeError);
    stream.close();
  });

  it.each([0, 1.5, 65, Number.NaN])('throws a RangeError for %s threads', async (threads) => {
    const load = async (): Promise<Fake> => createFake();
    await expect(
      createWhisperRecognizer({ modelPath: 'm', vad: createLevelDetector(), threads, load }),
    ).rejects.toThrow(RangeError);
  });

  it('leaves out what whisper made up', async () => {
    const fake = createFake((samples) => [segment(samples, ' Thanks for watching!', 0.5)]);
    const { stream, heard } = await listenTo(await create(fake));
    await writeAll(stream, bursts(1_000, [0, 500]));
    await stream.end();
    expect(heard.events).toEqual([]);
  });
});

describe('loadWhisper', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whisper-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const model = join(folder, 'model.bin');
  writeFileSync(model, Buffer.from('lmgg and more'));
  const text = join(folder, 'text.bin');
  writeFileSync(text, 'no model');

  it('names the package that is missing', async () => {
    await expect(loadWhisper(model, 2, () => Promise.reject(new Error('gone')))).rejects.toMatchObject({
      code: 'RECOGNIZER_MISSING',
      message: expect.stringContaining('smart-whisper'),
    });
  });

  it.each([
    ['is not there', join(folder, 'none.bin')],
    ['is a folder', folder],
    ['is something else', text],
  ])('says that the model %s before the package is loaded', async (_what, path) => {
    const load = (): never => {
      throw new Error('loaded');
    };
    await expect(loadWhisper(path, 2, load)).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });

  it('runs the package with the guards of whisper.cpp on, whichever way it exports its class', async () => {
    const seen: unknown[] = [];
    class Whisper {
      constructor(file: string) {
        seen.push(file);
      }
      async load(): Promise<void> {
        seen.push('load');
      }
      async transcribe(_samples: Float32Array, params: object): Promise<{ result: Promise<WhisperSegment[]> }> {
        seen.push(params);
        return { result: Promise.resolve([]) };
      }
      async free(): Promise<void> {
        seen.push('free');
      }
    }
    for (const exported of [{ Whisper }, { default: { Whisper } }]) {
      seen.length = 0;
      const binding = await loadWhisper(model, 3, async () => exported);
      expect(await binding.transcribe(new Float32Array(1), 'pt-BR')).toEqual([]);
      await binding.free();
      const params = expect.objectContaining({ language: 'pt', n_threads: 3, no_speech_thold: 0.6, no_context: true });
      expect(seen).toEqual([model, 'load', params, 'free']);
    }
    await expect(loadWhisper(model, 2, async () => ({}))).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });
});
