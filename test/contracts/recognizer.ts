import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Recognizer, RecognizerEvent, RecognizerStream } from '../../src/adapter.ts';
import type { UndertoneError } from '../../src/errors.ts';

type Final = Extract<RecognizerEvent, { type: 'final' }>;
type Heard = { readonly events: RecognizerEvent[]; readonly errors: UndertoneError[]; readonly finals: () => Final[] };

/** What the suite needs to know of a recognizer. */
export type RecognizerSubject = {
  readonly create: () => Promise<Recognizer>;
  /** 16 kHz sound in which the recognizer finds words; a fake peer may find them in anything. */
  readonly speech: () => Promise<Float32Array>;
  /** The peer answers by script: what it says of silence says nothing of the recognizer. */
  readonly isScripted?: boolean;
};

/** Samples of one block of the suite: 100 ms. */
const BLOCK = 1_600;

/** Opens a stream whose events and errors are collected. */
export async function listenTo(recognizer: Recognizer): Promise<{ stream: RecognizerStream; heard: Heard }> {
  const events: RecognizerEvent[] = [];
  const errors: UndertoneError[] = [];
  const stream = await recognizer.open({
    onEvent: (event) => void events.push(event),
    onError: (error) => void errors.push(error),
  });
  const finals = (): Final[] => events.filter((event): event is Final => event.type === 'final');
  return { stream, heard: { events, errors, finals } };
}

/** Writes sound in blocks of 100 ms, each once the stream takes more. */
export async function writeAll(stream: RecognizerStream, samples: Float32Array): Promise<void> {
  for (let at = 0; at < samples.length; at += BLOCK) await stream.write(samples.subarray(at, at + BLOCK));
}

/** The suite of every {@link Recognizer}. */
export function describeRecognizer(name: string, subject: RecognizerSubject): void {
  describe(`the recognizer contract: ${name}`, () => {
    let recognizer: Recognizer;
    let speech: Float32Array;
    beforeAll(async () => {
      recognizer = await subject.create();
      speech = await subject.speech();
    });
    afterAll(() => recognizer.close());
    const hear = async (samples: Float32Array): Promise<Heard> => {
      const { stream, heard } = await listenTo(recognizer);
      await writeAll(stream, samples);
      await stream.end();
      stream.close();
      return heard;
    };

    it('says what it can do', () => {
      const { languages, sampleRatesHz } = recognizer.capabilities;
      expect(recognizer.name).toMatch(/^[a-z0-9-]+$/u);
      expect(languages === 'any' || languages.length > 0).toBe(true);
      expect(sampleRatesHz.length > 0 && sampleRatesHz.every((rate) => rate >= 8_000)).toBe(true);
    });

    it('gives finals in order, within the sound, before end resolves', async () => {
      const { errors, finals } = await hear(speech);
      expect(errors).toEqual([]);
      expect(finals().length).toBeGreaterThan(0);
      let untilMs = 0;
      for (const { startMs, endMs, text, confidence } of finals()) {
        expect(text.trim()).not.toBe('');
        expect(startMs).toBeGreaterThanOrEqual(untilMs);
        expect(endMs).toBeGreaterThan(startMs);
        expect(endMs).toBeLessThanOrEqual(speech.length / 16 + 100);
        if (confidence !== undefined) expect(confidence >= 0 && confidence <= 1).toBe(true);
        untilMs = endMs - 1;
      }
    });

    it('gives interims and word times if, and only if, it says so', async () => {
      const { events, finals } = await hear(speech);
      const { interim, wordTimes, diarization } = recognizer.capabilities;
      expect(events.some((event) => event.type === 'interim')).toBe(interim);
      expect(finals().some(({ words }) => words !== undefined)).toBe(wordTimes);
      if (!diarization) expect(events.every((event) => event.speakerLabel === undefined)).toBe(true);
      for (const { startMs, endMs, text, words } of finals()) {
        if (words === undefined) continue;
        expect(words.map((word) => word.text).join(' ')).toBe(text.trim().split(/\s+/u).join(' '));
        let afterMs = startMs;
        for (const word of words) {
          expect(word.startMs).toBeGreaterThanOrEqual(afterMs);
          expect(word.endMs).toBeGreaterThanOrEqual(word.startMs);
          expect(word.endMs).toBeLessThanOrEqual(endMs);
          afterMs = word.startMs;
        }
      }
    });

    it('goes on counting time after a final that was asked for', async () => {
      const { stream, heard } = await listenTo(recognizer);
      await writeAll(stream, speech);
      stream.finalize();
      await writeAll(stream, speech);
      await stream.end();
      stream.close();
      const lengthMs = speech.length / 16;
      expect(heard.errors).toEqual([]);
      expect(heard.finals().some(({ endMs }) => endMs <= lengthMs + 100)).toBe(true);
      expect(heard.finals().some(({ startMs, endMs }) => startMs >= lengthMs - 100 && endMs > lengthMs)).toBe(true);
      expect(heard.finals().every(({ startMs, endMs }) => endMs <= lengthMs + 100 || startMs >= lengthMs - 100)).toBe(
        true,
      );
    });

    it('lets the memory of the samples be used again at once', async () => {
      const expected = (await hear(speech)).finals().map(({ text }) => text);
      const { stream, heard } = await listenTo(recognizer);
      const block = new Float32Array(BLOCK);
      for (let at = 0; at < speech.length; at += BLOCK) {
        const part = speech.subarray(at, at + BLOCK);
        block.set(part);
        const written = stream.write(block.subarray(0, part.length));
        block.fill(0.9);
        await written;
      }
      await stream.end();
      stream.close();
      expect(heard.finals().map(({ text }) => text)).toEqual(expected);
    });

    it('keeps streams apart', async () => {
      const [first, second] = [await listenTo(recognizer), await listenTo(recognizer)];
      for (let at = 0; at < speech.length; at += BLOCK) {
        const block = speech.subarray(at, at + BLOCK);
        await Promise.all([first.stream.write(block), second.stream.write(block)]);
      }
      await Promise.all([first.stream.end(), second.stream.end()]);
      first.stream.close();
      second.stream.close();
      expect(first.heard.finals().length).toBeGreaterThan(0);
      expect(second.heard.finals().map(({ text }) => text)).toEqual(first.heard.finals().map(({ text }) => text));
    });

    it('gives nothing for nothing', async () => {
      const { stream, heard } = await listenTo(recognizer);
      await stream.write(new Float32Array(0));
      stream.finalize();
      await stream.end();
      stream.close();
      expect(heard.events).toEqual([]);
      expect(heard.errors).toEqual([]);
    });

    it.skipIf(subject.isScripted === true)('gives no final for silence', async () => {
      expect((await hear(new Float32Array(32_000))).finals()).toEqual([]);
    });

    it('survives samples that are not numbers or far beyond full scale', async () => {
      const wild = speech.slice();
      wild.fill(Number.NaN, 1_000, 1_100);
      wild.fill(Number.POSITIVE_INFINITY, 2_000, 2_100);
      wild.fill(-1e38, 3_000, 3_100);
      expect((await hear(wild)).errors).toEqual([]);
    });

    it('says nothing after close, and throws a TypeError at a write after close or end', async () => {
      const { stream, heard } = await listenTo(recognizer);
      const other = await listenTo(recognizer);
      void stream.write(speech.subarray(0, BLOCK)).catch(() => undefined);
      stream.close();
      stream.close();
      const told = heard.events.length;
      expect(() => stream.write(new Float32Array(1))).toThrow(TypeError);
      await writeAll(other.stream, speech);
      const ending = other.stream.end();
      expect(() => other.stream.write(new Float32Array(1))).toThrow(TypeError);
      await ending;
      other.stream.close();
      expect(heard.events).toHaveLength(told);
      expect(other.heard.finals().length).toBeGreaterThan(0);
    });

    it('closes its streams with itself, and opens none afterwards', async () => {
      const closing = await subject.create();
      const { stream } = await listenTo(closing);
      await stream.write(speech.subarray(0, BLOCK));
      await closing.close();
      await closing.close();
      expect(() => stream.write(new Float32Array(1))).toThrow(TypeError);
      await expect(closing.open({ onEvent: () => undefined, onError: () => undefined })).rejects.toThrow(TypeError);
    });
  });
}
