import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import {
  createMediapipeExtractor,
  type MediapipeOptions,
} from '../../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import { type NodeThread, startNodeThread } from '../../../../adapters/vision/mediapipe/startNodeThread.ts';
import type { VisionExtractor, VisionModality } from '../../../../src/adapter.ts';
import { BODY_COLUMNS } from '../../../../src/features/body/bodyFrame.ts';
import { describeVisionExtractor } from '../../../contracts/visionExtractor.ts';
import { firstPicture, type PixelPicture } from '../../../support/callVideo.ts';
import {
  BODY_SCRIPT,
  BODY_STEPS,
  bodyPicture,
  correlations,
  FACE_SCRIPT,
  FACE_STEPS,
  facePicture,
} from '../../../support/scriptedMoves.ts';

const shared = process.env['UNDERTONE_SHARED'];
const readFace = (): Promise<Uint8Array> => readFile(join(shared ?? '', 'models', 'face_landmarker.task'));
const models: MediapipeOptions['models'] = { body: buildPoseTask, ...(shared !== undefined && { face: readFace }) };

describeVisionExtractor('the MediaPipe extractor', () => createMediapipeExtractor({ models, threads: 1 }));

const open: VisionExtractor[] = [];
const extractorOf = (options: Partial<MediapipeOptions> = {}): VisionExtractor => {
  const extractor = createMediapipeExtractor({ models, threads: 1, ...options });
  open.push(extractor);
  return extractor;
};
afterEach(async () => {
  for (const extractor of open.splice(0)) await extractor.close();
});

describe('createMediapipeExtractor', () => {
  it('never asks for the face model when only bodies are looked for, and no landmark of a face leaves it', async () => {
    const asked: string[] = [];
    const recording = {
      body: () => (asked.push('body'), buildPoseTask()),
      face: () => (asked.push('face'), Promise.reject(new Error('must not be read'))),
    };
    const stream = await extractorOf({ models: recording }).open({ modalities: ['body'] });
    const seen = await stream.examine(await firstPicture());
    expect(asked).toEqual(['body']);
    expect(seen).toHaveLength(1);
    expect(Object.keys(seen[0] ?? {}).sort()).toEqual(['atMs', 'modality', 'row']);
    expect(seen[0] && 'row' in seen[0] && seen[0].row.length).toBe(BODY_COLUMNS.length);
  });

  it('replaces a thread that ended, answers the picture that was on its way with vision_down and says so', async () => {
    const threads: NodeThread[] = [];
    const faults: string[] = [];
    const extractor = extractorOf({
      startThread: () => {
        const thread = startNodeThread();
        threads.push(thread);
        return thread;
      },
    });
    const stream = await extractor.open({ modalities: ['body'], onFault: ({ code }) => faults.push(code) });
    const picture = await firstPicture();
    const lost = stream.examine(picture);
    await Promise.resolve();
    await threads[0]?.end();
    expect(await lost).toEqual([{ modality: 'body', atMs: 0, reason: 'vision_down' }]);
    expect(await stream.examine({ ...picture, atMs: 100 })).toMatchObject([{ modality: 'body', atMs: 100, row: {} }]);
    expect(faults).toEqual(['VISION_DOWN']);
    expect(threads).toHaveLength(2);
    expect(stream.counts).toEqual({ looked: 1, skipped: 0, failed: 1 });
  });

  it('gives both streams of a thread that ended between pictures a place again, and loses no picture', async () => {
    const threads: NodeThread[] = [];
    const faults: string[] = [];
    const extractor = extractorOf({
      startThread: () => {
        const thread = startNodeThread();
        threads.push(thread);
        return thread;
      },
    });
    const options = { modalities: ['body'], onFault: ({ code }: { code: string }) => faults.push(code) } as const;
    const streams = [await extractor.open(options), await extractor.open(options)];
    const picture = await firstPicture();
    await threads[0]?.end();
    for (const stream of streams) expect(await stream.examine(picture)).toMatchObject([{ modality: 'body', row: {} }]);
    expect(threads).toHaveLength(2);
    expect(faults).toEqual(['VISION_DOWN', 'VISION_DOWN']);
  });

  it('gives a stream whose pictures end every thread no other one after five, and the rest of the process goes on', async () => {
    let started = 0;
    const dying = (): NodeThread => ({
      open: async () => void started++,
      look: () => Promise.reject(new Error('ended')),
      forget: () => undefined,
      end: async () => undefined,
      hasEnded: false,
    });
    const faults: string[] = [];
    const stream = await extractorOf({ startThread: dying }).open({
      modalities: ['body'],
      onFault: ({ message }) => faults.push(message),
    });
    for (let atMs = 0; atMs < 1_000; atMs += 100)
      expect(await stream.examine({ ...flat(), atMs })).toEqual([{ modality: 'body', atMs, reason: 'vision_down' }]);
    expect(started).toBe(5);
    expect(faults).toHaveLength(5);
    expect(faults.at(-1)).toContain('no picture of this stream');
  });

  it('ends a thread that hangs', async () => {
    const thread = startNodeThread({ hangMs: 1 });
    await expect(thread.open(0, ['body'], { body: await buildPoseTask() })).rejects.toThrow('the thread ended');
    expect(thread.hasEnded).toBe(true);
  });

  it('says VISION_DOWN of a model that is none', async () => {
    const extractor = extractorOf({ models: { body: async () => new Uint8Array(1_000) } });
    await expect(extractor.open({ modalities: ['body'] })).rejects.toMatchObject({ code: 'VISION_DOWN' });
  });

  it('refuses more than 64 streams, and takes another once one is closed', async () => {
    const idle = (): NodeThread => ({
      open: async () => undefined,
      look: async () => [],
      forget: () => undefined,
      end: async () => undefined,
      hasEnded: false,
    });
    const extractor = extractorOf({ startThread: idle });
    const streams = await Promise.all(Array.from({ length: 64 }, () => extractor.open({ modalities: ['body'] })));
    await expect(extractor.open({ modalities: ['body'] })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    streams[0]?.close();
    await expect(extractor.open({ modalities: ['body'] })).resolves.toBeDefined();
  });

  it('refuses a number of threads that is none', () => {
    for (const threads of [0, 1.5, 65, NaN])
      expect(() => createMediapipeExtractor({ models, threads })).toThrow(RangeError);
  });
});

describe('what is drawn comes back', () => {
  it(
    shared === undefined
      ? 'skipped: faces need the model in UNDERTONE_SHARED'
      : 'smile, blink, turn, jaw and frown correlate with what an avatar does',
    { skip: shared === undefined },
    async () => {
      const rows = await rowsOf('face', FACE_STEPS, facePicture);
      expect(rows.filter((row) => row).length).toBeGreaterThan(110);
      const found = correlations(FACE_SCRIPT, rows);
      for (const { name, least } of FACE_SCRIPT) expect(found[name], name).toBeGreaterThan(least);
    },
  );

  it(
    shared === undefined
      ? 'skipped: faces need the model in UNDERTONE_SHARED'
      : 'a mouth that something other than a hand covers is not told from one at rest',
    { skip: shared === undefined },
    async () => {
      const rows = await rowsOf('face', 12, (step) => masked(facePicture(step)));
      const smiles = rows.flatMap((row) =>
        row ? (FACE_SCRIPT.find(({ name }) => name === 'smile')?.read(row) ?? []) : [],
      );
      expect(smiles).toHaveLength(12);
      expect(Math.max(...smiles) - Math.min(...smiles)).toBeLessThan(0.2);
    },
  );

  it('arms that go up and their speed correlate with what a figure does', async () => {
    const rows = await rowsOf('body', BODY_STEPS, bodyPicture);
    expect(rows.filter((row) => row)).toHaveLength(BODY_STEPS);
    const found = correlations(BODY_SCRIPT, rows);
    for (const { name, least } of BODY_SCRIPT) expect(found[name], name).toBeGreaterThan(least);
  });
});

async function rowsOf(
  modality: VisionModality,
  steps: number,
  draw: (step: number) => PixelPicture,
): Promise<(Float32Array | undefined)[]> {
  const stream = await extractorOf().open({ modalities: [modality] });
  const rows: (Float32Array | undefined)[] = [];
  for (let step = 0; step < steps; step++) {
    const [seen] = await stream.examine(draw(step));
    rows.push(seen && 'row' in seen ? seen.row : undefined);
  }
  return rows;
}

/** With a mask over the lower half of the avatar's face. */
function masked(picture: PixelPicture): PixelPicture {
  const rgba = picture.rgba.slice();
  for (let y = 215; y < 350; y++) rgba.fill(225, 4 * (y * picture.width + 215), 4 * (y * picture.width + 425));
  return { ...picture, rgba };
}

function flat(): PixelPicture {
  return { atMs: 0, width: 320, height: 240, rgba: new Uint8Array(320 * 240 * 4).fill(128) };
}
