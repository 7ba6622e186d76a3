import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { startNodeThread } from '../../../../adapters/vision/mediapipe/startNodeThread.ts';
import { startWorker } from '../../../../adapters/vision/mediapipe/startWorker.ts';
import type { VisionModality } from '../../../../src/adapter.ts';
import { createVision } from '../../../../src/app/models/createVision.ts';
import { callVideo, firstPicture, type PixelPicture } from '../../../support/callVideo.ts';
import type { LandmarkAnswer, LandmarkRequest } from '../../../support/landmarkWorker.ts';
import { SPY_CHANNEL, type SpyAnswer, type SpyQuestion } from '../../../support/visionSpyMessages.ts';

const shared = process.env['UNDERTONE_SHARED'];
const FACE_FILE = join(shared ?? '', 'models', 'face_landmarker.task');
const NEEDS_FACES = shared === undefined ? 'skipped: faces need the model in UNDERTONE_SHARED: ' : '';
const PLANTED = Float64Array.of(0.123456789012345, -7.0987654321e-5);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

describe('without faces', () => {
  it(
    `${NEEDS_FACES}the file of the face model is never opened, and with faces it is`,
    { skip: shared === undefined || process.platform === 'win32' },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'undertone-models-'));
      const pipe = join(folder, 'face_landmarker.task');
      execFileSync('mkfifo', [pipe]);
      const extractor = createVision(folder);
      cleanups.push(
        () => rm(folder, { recursive: true }),
        () => extractor.close(),
      );
      expect(extractor.modalities).toContain('face');

      const bodies = await extractor.open({ modalities: ['body'] });
      expect(await bodies.examine(await firstPicture())).toMatchObject([{ modality: 'body', row: {} }]);
      // A pipe can be opened for writing at once only while somebody has it open, or waits to have it, for reading.
      const write = constants.O_WRONLY | constants.O_NONBLOCK;
      expect(() => openSync(pipe, write)).toThrow(expect.objectContaining({ code: 'ENXIO' }));

      const both = extractor.open({ modalities: ['face', 'body'] });
      const writer = await open(pipe, 'w');
      await writer.writeFile(await readFile(FACE_FILE));
      await writer.close();
      expect(await (await both).examine(await firstPicture())).toMatchObject([
        { modality: 'face', row: {} },
        { modality: 'body', row: {} },
      ]);
    },
  );

  it(
    `${NEEDS_FACES}no code of faces is loaded, and no landmark of a face is in memory; with faces both are`,
    { skip: shared === undefined, timeout: 180_000 },
    async () => {
      const pictures: PixelPicture[] = [];
      for await (const picture of callVideo('ada', { endMs: 300 }))
        pictures.push({ ...picture, rgba: picture.rgba.slice() });
      const landmarks = await landmarksOf(pictures);
      expect([landmarks.face.length, landmarks.body.length]).toEqual([478, 33]);

      const withFaces = await spyOn(['face', 'body'], pictures, landmarks);
      expect(withFaces).toMatchObject({ memories: 2, hasCodeOfFaces: true, hasCodeOfBodies: true });
      // The library frees some of what it used, which is overwritten here and there.
      expect(withFaces.foundOfFace).toBeGreaterThan(400);
      const withoutFaces = await spyOn(['body'], pictures, landmarks);
      expect(withoutFaces).toMatchObject({ memories: 1, foundOfFace: 0, hasCodeOfFaces: false, hasCodeOfBodies: true });
      // The pose model finds a body by its head, so its eleven points are there until it needs the memory for something else;
      // no object of ours ever holds them.
      expect(withoutFaces).toMatchObject({ heldOfHead: 0, heldPlanted: PLANTED.length });
    },
  );
});

type Spied = {
  readonly memories: number | undefined;
  readonly foundOfFace: number | undefined;
  readonly heldOfHead: number | undefined;
  readonly heldPlanted: number | undefined;
  readonly hasCodeOfFaces: boolean | undefined;
  readonly hasCodeOfBodies: boolean | undefined;
};

/** Has pictures looked at by a thread that is spied on. */
async function spyOn(
  modalities: readonly VisionModality[],
  pictures: readonly PixelPicture[],
  { face, body }: LandmarkAnswer,
): Promise<Spied> {
  const thread = startNodeThread({ script: new URL('../../../support/spiedWorker.ts', import.meta.url) });
  cleanups.push(() => thread.end());
  const models = { face: await readFile(FACE_FILE), body: await buildPoseTask() };
  await thread.open(0, modalities, models);
  for (const picture of pictures)
    for (const seen of await thread.look(0, picture)) expect(seen).toMatchObject({ row: {} });
  const { memories, found: foundOfFace } = await ask({ ask: 'memory', points: face });
  const numbers = Float64Array.from(body.slice(0, 11).flatMap(({ x, y, z }) => [x, y, z]));
  const heap = await ask({ ask: 'heap', numbers, planted: PLANTED });
  const { scripts } = await ask({ ask: 'scripts' });
  const has = (name: RegExp): boolean | undefined => scripts?.some((script) => name.test(script));
  await thread.end();
  return {
    memories,
    foundOfFace,
    heldOfHead: heap.found,
    heldPlanted: heap.foundPlanted,
    hasCodeOfFaces: has(/\/src\/(vision\/faceWatcher|features\/face\/)/),
    hasCodeOfBodies: has(/\/src\/vision\/bodyWatcher/),
  };
}

async function ask(question: SpyQuestion): Promise<SpyAnswer> {
  const channel = new BroadcastChannel(SPY_CHANNEL);
  const answered = new Promise<SpyAnswer>((resolve) => {
    channel.onmessage = (event) => resolve((event as { data: SpyAnswer }).data);
  });
  channel.postMessage(question);
  const answer = await answered;
  channel.close();
  return answer;
}

async function landmarksOf(pictures: readonly PixelPicture[]): Promise<LandmarkAnswer> {
  const worker = startWorker(new URL('../../../support/landmarkWorker.ts', import.meta.url));
  cleanups.push(() => worker.terminate());
  const request: LandmarkRequest = { face: await readFile(FACE_FILE), body: await buildPoseTask(), pictures };
  worker.postMessage(request);
  const [answer] = (await once(worker, 'message')) as [LandmarkAnswer];
  await worker.terminate();
  return answer;
}
