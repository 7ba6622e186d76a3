import { parentPort, workerData } from 'node:worker_threads';
import type { Picture } from '../../../src/adapter.ts';
import { createRequestHandler } from '../../../src/vision/createRequestHandler.ts';
import { createOnlooker, type OnlookerModels } from '../../../src/vision/onlooker.ts';
import type { ThreadRequest } from '../../../src/vision/threadMessages.ts';
import { decodePicture } from './decodePicture.ts';
import { giveWay } from './giveWay.ts';
import { loadVisionRuntime } from './loadVisionRuntime.ts';

/** What a thread is started with. */
export type ThreadStart = { readonly givesWay: boolean };

/** The thread that looks. It ends when its owner ends it. */
if ((workerData as ThreadStart).givesWay) giveWay();
const runtime = loadVisionRuntime();
const handle = createRequestHandler<Picture, OnlookerModels>({
  open: async (modalities, models) => createOnlooker(await runtime, modalities, models),
  read: decodePicture,
  release: () => undefined,
  answer: (message) => parentPort?.postMessage(message),
});

parentPort?.on('message', (request: ThreadRequest<Picture, OnlookerModels>) => handle(request));
