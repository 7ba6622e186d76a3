import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSherpaRecognizer } from '../../../../adapters/asr/sherpa/createSherpaRecognizer.ts';
import { makeTinyTransducer } from '../../../../fixtures/makeTinyTransducer.ts';
import { describeRecognizer, listenTo, writeAll } from '../../../contracts/recognizer.ts';

const folder = mkdtempSync(join(tmpdir(), 'sherpa-'));
makeTinyTransducer(folder);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Noise in each span, silence elsewhere: what the tiny model calls speech. The same at each call. */
function noise(durationMs: number, ...spans: readonly (readonly [number, number])[]): Float32Array {
  const samples = new Float32Array(durationMs * 16);
  let state = 1;
  for (const [startMs, endMs] of spans) {
    for (let at = startMs * 16; at < endMs * 16; at += 1) {
      state = (state * 16_807) % 2_147_483_647;
      samples[at] = state / 2_147_483_647 - 0.5;
    }
  }
  return samples;
}

const create = (): ReturnType<typeof createSherpaRecognizer> => createSherpaRecognizer({ modelFolder: folder });

describeRecognizer('sherpa', { create, speech: async () => noise(3_000, [400, 900], [2_000, 2_500]) });

describe('createSherpaRecognizer', () => {
  it('gives partial words while they are said, and the final after 0.6 s of silence, before the end', async () => {
    const recognizer = await create();
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, noise(2_000, [500, 1_000]));
    const texts = heard.events.map(({ type, text }) => `${type} ${text}`);
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.slice(0, -1).every((text) => text.startsWith('interim LA'))).toBe(true);
    const [final] = heard.finals();
    expect(texts.at(-1)).toBe(`final ${final?.text}`);
    expect(final?.text).toMatch(/^(LALI DU ?)+/u);
    expect(final?.startMs).toBeGreaterThanOrEqual(440);
    expect(final?.startMs).toBeLessThanOrEqual(560);
    expect(final?.endMs).toBeGreaterThanOrEqual(940);
    expect(final?.endMs).toBeLessThanOrEqual(1_160);
    stream.close();
    await recognizer.close();
  });

  it('keeps the clock over endpoints and finals that were asked for', async () => {
    const recognizer = await create();
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, noise(2_000, [500, 1_000]));
    await writeAll(stream, noise(500, [200, 400]));
    stream.finalize();
    await writeAll(stream, noise(1_000, [500, 800]));
    await stream.end();
    expect(heard.finals().map(({ startMs }) => Math.round(startMs / 100))).toEqual([5, 22, 30]);
    stream.close();
    await recognizer.close();
  });

  it('starts and stops 100 streams, and recognizers again and again, without growing', async () => {
    const recognizer = await create();
    const sound = noise(300, [0, 300]);
    const cycle = async (): Promise<void> => {
      const { stream, heard } = await listenTo(recognizer);
      await stream.write(sound);
      await stream.end();
      expect(heard.finals()).toHaveLength(1);
      stream.close();
    };
    for (let round = 0; round < 20; round += 1) await cycle();
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 100; round += 1) await cycle();
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_024 * 1_024);
    await recognizer.close();
    for (let round = 0; round < 5; round += 1) await (await create()).close();
  });

  it('refuses more sound than may wait', async () => {
    const recognizer = await create();
    const { stream } = await listenTo(recognizer);
    expect(() => stream.write(new Float32Array(480_001))).toThrow(RangeError);
    await recognizer.close();
  });

  it.each([0, 0.5, 65])('throws a RangeError for %s threads', async (threads) => {
    await expect(createSherpaRecognizer({ modelFolder: folder, threads })).rejects.toThrow(RangeError);
  });

  describe('says what is missing', () => {
    const broken = mkdtempSync(join(tmpdir(), 'sherpa-broken-'));
    beforeAll(() => {
      makeTinyTransducer(broken);
    });
    afterAll(() => {
      rmSync(broken, { recursive: true });
    });
    it('when the folder is not there', async () => {
      await expect(createSherpaRecognizer({ modelFolder: join(broken, 'none') })).rejects.toMatchObject({
        code: 'RECOGNIZER_MISSING',
      });
    });
    it.each(['encoder.onnx', 'joiner.onnx'])('when %s is no model', async (name) => {
      writeFileSync(join(broken, name), 'text');
      const error: unknown = await createSherpaRecognizer({ modelFolder: broken }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'RECOGNIZER_MISSING', message: expect.stringContaining('ONNX') });
    });
    it.each(['decoder.onnx', 'tokens.txt'])('when there is no %s', async (name) => {
      rmSync(join(broken, name));
      await expect(createSherpaRecognizer({ modelFolder: broken })).rejects.toMatchObject({
        code: 'RECOGNIZER_MISSING',
      });
    });
  });
});
