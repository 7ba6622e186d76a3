import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import {
  createMediapipeExtractor,
  type MediapipeOptions,
} from '../../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import { type NodeThread, startNodeThread } from '../../../../adapters/vision/mediapipe/startNodeThread.ts';
import type { VisionExtractor } from '../../../../src/adapter.ts';
import { BODY_COLUMNS } from '../../../../src/features/body/bodyFrame.ts';
import { FACE_COLUMNS } from '../../../../src/features/face/faceFrame.ts';
import { drawAvatar, REST_POSE, type Pose } from '../../../../fixtures/makeCallAvatar.ts';
import { LOOKS } from '../../../../fixtures/makeCallLooks.ts';
import { createCanvas } from '@napi-rs/canvas';
import { describeVisionExtractor } from '../../../contracts/visionExtractor.ts';
import { drawFigure } from '../../../support/armedFigure.ts';
import { firstPicture, type PixelPicture } from '../../../support/callVideo.ts';

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
      const drawn: Record<string, number[]> = { smile: [], lids: [], yaw: [], jaw: [], browFrown: [] };
      const read: Record<string, number[]> = { smile: [], lids: [], yaw: [], jaw: [], browFrown: [] };
      const stream = await extractorOf().open({ modalities: ['face'] });
      for (let i = 0; i < 120; i++) {
        const pose = poseAt(i / 10);
        const [seen] = await stream.examine({ ...draw(pose), atMs: i * 100 });
        if (!seen || !('row' in seen)) continue;
        for (const [what, of] of Object.entries(READERS)) {
          drawn[what]?.push(pose[what as keyof Pose]);
          read[what]?.push(of(seen.row));
        }
      }
      const correlations = Object.fromEntries(
        Object.keys(READERS).map((what) => [what, correlation(drawn[what] ?? [], read[what] ?? [])]),
      );
      expect(drawn['smile']?.length).toBeGreaterThan(110);
      expect(correlations['smile']).toBeGreaterThan(0.9);
      expect(correlations['lids']).toBeGreaterThan(0.9);
      expect(correlations['yaw']).toBeGreaterThan(0.9);
      expect(correlations['jaw']).toBeGreaterThan(0.7);
      expect(correlations['browFrown']).toBeGreaterThan(0.7);
    },
  );

  it('arms that go up and their speed correlate with what a figure does', async () => {
    const stream = await extractorOf().open({ modalities: ['body'] });
    const drawn: Record<string, number[]> = { raised: [], speed: [] };
    const read: Record<string, number[]> = { raised: [], speed: [] };
    for (let i = 0; i < 80; i++) {
      const raised = raisedAt(i / 10);
      const picture = drawFigure({ shoulder: 0.35 + raised * 0.5, elbow: 0.2 + raised * 1.5 });
      const [seen] = await stream.examine({ ...picture, atMs: i * 100 });
      if (!seen || !('row' in seen) || i === 0) continue;
      drawn['raised']?.push(raised);
      read['raised']?.push(-column(seen.row, 'leftWristY') - column(seen.row, 'rightWristY'));
      drawn['speed']?.push(Math.abs(raised - raisedAt((i - 1) / 10)));
      read['speed']?.push(column(seen.row, 'leftWristSpeedPerS') + column(seen.row, 'rightWristSpeedPerS'));
    }
    expect(drawn['raised']?.length).toBe(79);
    expect(correlation(drawn['raised'] ?? [], read['raised'] ?? [])).toBeGreaterThan(0.9);
    expect(correlation(drawn['speed'] ?? [], read['speed'] ?? [])).toBeGreaterThan(0.7);
  });
});

/** Blendshapes as shares again: rows hold log-odds above a floor. */
const share = (row: Float32Array, column: string): number => {
  const logOdds = (row[FACE_COLUMNS.indexOf(column)] ?? 0) + Math.log(1e-4 / (1 - 1e-4));
  return 1 / (1 + Math.exp(-logOdds));
};
const both = (name: string) => (row: Float32Array) => share(row, `${name}Left`) + share(row, `${name}Right`);
const READERS: Readonly<Record<string, (row: Float32Array) => number>> = {
  smile: both('mouthSmile'),
  lids: both('eyeBlink'),
  yaw: (row) => row[FACE_COLUMNS.indexOf('yawRad')] ?? 0,
  jaw: (row) => share(row, 'jawOpen'),
  browFrown: both('browDown'),
};

const column = (row: Float32Array, name: string): number => row[BODY_COLUMNS.indexOf(name)] ?? 0;

/** Up and down in 3 s for half of the time, then in 1.5 s. */
function raisedAt(seconds: number): number {
  return wave(seconds, seconds < 3 ? 3 : 1.5);
}

/** From 0 to 1 and back in `period` s. */
function wave(seconds: number, period: number): number {
  return 0.5 - 0.5 * Math.cos((2 * Math.PI * seconds) / period);
}

/** One movement after the other, so that each can be told. */
function poseAt(seconds: number): Pose {
  const moved = (from: number): number => (seconds >= from && seconds < from + 2.4 ? wave(seconds - from, 1.2) : 0);
  return {
    ...REST_POSE,
    smile: moved(0),
    lids: moved(2.4),
    yaw: moved(4.8) * 0.8,
    jaw: moved(7.2),
    browFrown: moved(9.6),
  };
}

function draw(pose: Pose): PixelPicture {
  const ctx = createCanvas(640, 480).getContext('2d');
  drawAvatar(ctx, LOOKS.Ada, pose);
  const { data } = ctx.getImageData(0, 0, 640, 480);
  return { atMs: 0, width: 640, height: 480, rgba: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function flat(): PixelPicture {
  return { atMs: 0, width: 320, height: 240, rgba: new Uint8Array(320 * 240 * 4).fill(128) };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, i) => (value - meanA) * ((b[i] ?? 0) - meanB)));
  const spread = (values: readonly number[], middle: number): number =>
    Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  return covariance / (spread(a, meanA) * spread(b, meanB));
}
