import { describe, expect, it } from 'vitest';
import type { ThreadAnswer } from '../../src/vision/threadMessages.ts';
import { createRequestHandler } from '../../src/vision/createRequestHandler.ts';
import { createOnlooker } from '../../src/vision/onlooker.ts';
import type { Pixels } from '../../src/vision/pixelStore.ts';
import type { VisionRuntime } from '../../src/vision/visionRuntime.ts';
import { toWorkingSize } from '../../src/vision/workingSize.ts';

const MODEL = Uint8Array.of(1);
const grey = (value = 128): Pixels => ({ width: 32, height: 24, data: new Uint8ClampedArray(32 * 24 * 4).fill(value) });

/** A library that sees nobody, counts its tasks, and fails at the clocks given. */
function fakeRuntime(failsAt: readonly number[] = []): { runtime: VisionRuntime; log: string[]; answers: object[] } {
  const log: string[] = [];
  const answers: object[] = [];
  const runtime = {
    createTask: async () => {
      log.push('made');
      return {
        detectForVideo: (pixels: Pixels, atMs: number) => {
          log.push(`${atMs} ${pixels.data[0]}`);
          if (failsAt.includes(atMs)) throw new Error('the library failed');
          const answer = { landmarks: [], worldLandmarks: [[{ x: 1 }]] };
          answers.push(answer);
          return answer;
        },
        close: () => void log.push('closed'),
      };
    },
  } as unknown as VisionRuntime;
  return { runtime, log, answers };
}

describe('createOnlooker', () => {
  it('erases the pixels and what the library said of them once it has looked', async () => {
    const { runtime, log, answers } = fakeRuntime();
    const onlooker = await createOnlooker(runtime, ['body'], { body: MODEL });
    const pixels = grey();
    expect(await onlooker.look(0, () => pixels)).toEqual([{ modality: 'body', atMs: 0, reason: 'no_body' }]);
    expect(log).toEqual(['made', '1 128']);
    expect(pixels.data.every((value) => value === 0)).toBe(true);
    expect(answers).toEqual([{ landmarks: [], worldLandmarks: [] }]);
  });

  it('does not read a picture that comes too late, and gives the library whole ms that increase', async () => {
    const { runtime, log } = fakeRuntime();
    const onlooker = await createOnlooker(runtime, ['body'], { body: MODEL });
    let reads = 0;
    const read = (): Pixels => (reads++, grey());
    for (const atMs of [10, 10, 9.5, 10.2, 10.4, 110.6]) await onlooker.look(atMs, read);
    expect(reads).toBe(4);
    expect(log.slice(1)).toEqual(['1 128', '2 128', '3 128', '103 128']);
  });

  it('makes everything anew when the library fails, and erases that picture, too', async () => {
    const { runtime, log } = fakeRuntime([101]);
    const onlooker = await createOnlooker(runtime, ['body'], { body: MODEL });
    await onlooker.look(0, () => grey());
    const pixels = grey();
    expect(await onlooker.look(100, () => pixels)).toEqual([{ modality: 'body', atMs: 100, reason: 'vision_down' }]);
    expect(pixels.data[0]).toBe(0);
    expect(await onlooker.look(200, () => grey())).toEqual([{ modality: 'body', atMs: 200, reason: 'no_body' }]);
    expect(log).toEqual(['made', '1 128', '101 128', 'closed', 'made', '201 128']);
  });

  it('makes no task for what has no model or is not asked for', async () => {
    const { runtime, log } = fakeRuntime();
    const onlooker = await createOnlooker(runtime, ['body'], { face: MODEL });
    expect(await onlooker.look(0, () => grey())).toEqual([{ modality: 'body', atMs: 0, reason: 'no_extractor' }]);
    expect(log).toEqual([]);
  });
});

describe('createRequestHandler', () => {
  type Image = { readonly atMs: number };
  const handled = async (failing = false) => {
    const released: number[] = [];
    const answers: ThreadAnswer[] = [];
    let settle: () => void = () => undefined;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const handle = createRequestHandler<Image, string>({
      open: async (modalities, _models, onProgress) => {
        onProgress();
        if (failing) throw new Error('no model');
        return createOnlooker(fakeRuntime().runtime, modalities, { body: MODEL });
      },
      read: () => grey(),
      release: ({ atMs }) => released.push(atMs),
      answer: (message) => {
        answers.push(message);
        if (answers.length === 5) settle();
      },
    });
    handle({ type: 'open', id: 1, modalities: ['body'], models: 'here' });
    handle({ type: 'look', id: 1, picture: { atMs: 0 } });
    handle({ type: 'look', id: 1, picture: { atMs: 0 } });
    handle({ type: 'close', id: 1 });
    handle({ type: 'look', id: 1, picture: { atMs: 100 } });
    await settled;
    return { answers, released };
  };

  it('answers one after the other, and releases every picture: looked at, late, or of a stream that is closed', async () => {
    const { answers, released } = await handled();
    expect(answers.map(({ type }) => type)).toEqual(['working', 'opened', 'seen', 'seen', 'failed']);
    expect(answers[3]).toMatchObject({ sightings: [{ reason: 'late' }] });
    expect(released).toEqual([0, 0, 100]);
  });

  it('releases the pictures of a stream that could not be opened', async () => {
    const { answers, released } = await handled(true);
    expect(answers.map(({ type }) => type)).toEqual(['working', 'failed', 'failed', 'failed', 'failed']);
    expect(released).toEqual([0, 0, 100]);
  });
});

describe('toWorkingSize', () => {
  it('leaves what is small enough, halves and thirds what is not, and refuses what is no size', () => {
    expect(toWorkingSize({ width: 1_280, height: 720 })).toEqual({ width: 1_280, height: 720, times: 1 });
    expect(toWorkingSize({ width: 1_281, height: 721 })).toEqual({ width: 640, height: 360, times: 2 });
    expect(toWorkingSize({ width: 3_840, height: 2_160 })).toEqual({ width: 1_280, height: 720, times: 3 });
    expect(toWorkingSize({ width: 8_192, height: 2 })).toEqual({ width: 8_192, height: 2, times: 1 });
    for (const [width, height] of [
      [0, 1],
      [8_193, 1],
      [1.5, 2],
      [NaN, 2],
    ] as const)
      expect(toWorkingSize({ width, height })).toBe('unsupported_format');
  });
});
