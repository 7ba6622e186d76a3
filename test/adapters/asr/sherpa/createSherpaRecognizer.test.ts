import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createSherpaRecognizer } from '../../../../adapters/asr/sherpa/createSherpaRecognizer.ts';
import { makeTinyEmbedding, makeTinyOffline } from '../../../../fixtures/makeTinyOffline.ts';
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
    const before = grownBytes();
    for (let round = 0; round < 100; round += 1) await cycle();
    expect(grownBytes() - before).toBeLessThan(32 * 1_024 * 1_024);
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

  describe('over a file that is damaged', () => {
    const broken = mkdtempSync(join(tmpdir(), 'sherpa-broken-'));
    beforeEach(() => makeTinyTransducer(broken));
    afterAll(() => rmSync(broken, { recursive: true }));
    const refusal = async (): Promise<unknown> =>
      createSherpaRecognizer({ modelFolder: broken }).catch((reason: unknown) => reason);

    it.each(['encoder.onnx', 'decoder.onnx', 'joiner.onnx'])('says so when %s is not whole', async (name) => {
      truncateSync(join(broken, name), 200);
      const error = { code: 'RECOGNIZER_MISSING', message: expect.stringContaining('not whole') as string };
      expect(await refusal()).toMatchObject(error);
    });

    it('lives on when the library ends its process over what the file says', async () => {
      writeFileSync(join(broken, 'tokens.txt'), 'these are no tokens\n');
      const error = { code: 'RECOGNIZER_MISSING', message: expect.stringContaining('the library ended') as string };
      expect(await refusal()).toMatchObject(error);
    });

    it('lives on when the file is whole and holds nonsense', async () => {
      const bytes = readFileSync(join(broken, 'joiner.onnx'));
      writeFileSync(
        join(broken, 'joiner.onnx'),
        Buffer.from(bytes.toString('latin1').replaceAll('MatMul', 'MatMad'), 'latin1'),
      );
      expect(await refusal()).toMatchObject({ code: 'RECOGNIZER_MISSING' });
    });

    it('says so when the folder is not there', async () => {
      await expect(createSherpaRecognizer({ modelFolder: join(broken, 'none') })).rejects.toMatchObject({
        code: 'RECOGNIZER_MISSING',
      });
    });

    it.each(['encoder.onnx', 'joiner.onnx'])('says so when %s is no model', async (name) => {
      writeFileSync(join(broken, name), 'text');
      expect(await refusal()).toMatchObject({
        code: 'RECOGNIZER_MISSING',
        message: expect.stringContaining('ONNX') as string,
      });
    });

    it.each(['decoder.onnx', 'tokens.txt'])('says so when there is no %s', async (name) => {
      rmSync(join(broken, name));
      expect(await refusal()).toMatchObject({ code: 'RECOGNIZER_MISSING' });
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'fails its streams when the process dies, and starts another for the next',
    async () => {
      const recognizer = await create();
      const { stream, heard } = await listenTo(recognizer);
      await stream.write(noise(300, [0, 300]));
      const children = childrenOf(process.pid);
      expect(children).toHaveLength(1);
      const failed = new Promise<void>((resolve) => {
        void recognizer.open({ onEvent: () => undefined, onError: () => resolve() });
      });
      for (const child of children) process.kill(child, 'SIGKILL');
      await failed;
      expect(heard.errors).toMatchObject([{ code: 'RECOGNIZER_FAILED' }]);
      const again = await listenTo(recognizer);
      await writeAll(again.stream, noise(1_000, [200, 600]));
      await again.stream.end();
      expect(again.heard.finals()).toHaveLength(1);
      await recognizer.close();
      expect(childrenOf(process.pid)).toEqual([]);
    },
  );
});

/** The processes that a process of this machine has started: Linux tells. */
function childrenOf(pid: number): number[] {
  const listed = readdirSync(`/proc/${pid}/task`).map((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'),
  );
  return listed
    .join(' ')
    .split(/\s+/u)
    .filter((one) => one !== '')
    .map(Number);
}

/** The memory of the processes that this one has started; 0 where the system does not tell. */
function grownBytes(): number {
  if (process.platform !== 'linux') return 0;
  const pages = childrenOf(process.pid).map((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]));
  return 4_096 * pages.reduce((sum, one) => sum + one, 0);
}

describe('an offline model', () => {
  const offline = mkdtempSync(join(tmpdir(), 'sherpa-offline-'));
  makeTinyOffline(offline);
  afterAll(() => rmSync(offline, { recursive: true }));
  const createOffline = (): ReturnType<typeof createSherpaRecognizer> =>
    createSherpaRecognizer({ modelFolder: offline });

  describeRecognizer('sherpa, offline', { create: createOffline, speech: async () => noise(1_500, [400, 900]) });

  it('says what was said at the end of speech, with the times of the stream', async () => {
    const recognizer = await createOffline();
    const { stream, heard } = await listenTo(recognizer);
    for (let piece = 0; piece < 3; piece++) {
      await writeAll(stream, noise(1_000, [300, 700]));
      stream.finalize();
    }
    await stream.end();
    expect(heard.events.map(({ text, startMs }) => [text, Math.round(startMs / 100)])).toEqual([
      ['LA', 3],
      ['LA', 13],
      ['LA', 23],
    ]);
    await recognizer.close();
  });

  it('does not wait longer than 25 s for the end of speech, and goes on behind the cut', async () => {
    const recognizer = await createOffline();
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, noise(40_000, [100, 22_000], [22_200, 39_000]));
    expect(heard.finals()).toHaveLength(1);
    await stream.end();
    expect(heard.finals().map(({ startMs }) => Math.round(startMs / 1_000))).toEqual([0, 22]);
    await recognizer.close();
  });

  it('tells voices apart where there may be several, when a speaker embedding is there', async () => {
    const both = mkdtempSync(join(tmpdir(), 'sherpa-voices-'));
    makeTinyOffline(both);
    makeTinyEmbedding(both);
    const recognizer = await createSherpaRecognizer({ modelFolder: both });
    expect(recognizer.capabilities.diarization).toBe(true);
    const hear = async (severalSpeakers: boolean): Promise<unknown[]> => {
      const labels: unknown[] = [];
      const stream = await recognizer.open({
        severalSpeakers,
        onEvent: ({ speakerLabel }) => void labels.push(speakerLabel),
        onError: () => undefined,
      });
      for (const hz of [200, 4_000, 200, 4_000, 1_000]) {
        await stream.write(voice(900, hz));
        stream.finalize();
      }
      await stream.end();
      stream.close();
      return labels;
    };
    expect(await hear(true)).toEqual(['S1', 'S2', 'S1', 'S2', 'S3']);
    expect(await hear(false)).toEqual(Array<undefined>(5).fill(undefined));
    await recognizer.close();
    rmSync(both, { recursive: true });
  });

  it('is refused when it is of a kind that nobody knows', async () => {
    const odd = mkdtempSync(join(tmpdir(), 'sherpa-odd-'));
    makeTinyTransducer(odd);
    renameSync(join(odd, 'encoder.onnx'), join(odd, 'model.onnx'));
    await expect(createSherpaRecognizer({ modelFolder: odd })).rejects.toMatchObject({
      code: 'RECOGNIZER_MISSING',
      message: expect.stringContaining('of a kind') as string,
    });
    rmSync(odd, { recursive: true });
  });
});

/** A tone in a little noise: a voice, to the tiny embedding. */
function voice(durationMs: number, hz: number): Float32Array {
  const rough = noise(durationMs, [0, durationMs]);
  return rough.map((value, index) => 0.4 * Math.sin((2 * Math.PI * hz * index) / 16_000) * (1 + value) + 0.02 * value);
}
