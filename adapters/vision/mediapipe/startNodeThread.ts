import type { Worker } from 'node:worker_threads';
import type { Picture } from '../../../src/adapter.ts';
import type { OnlookerModels } from '../../../src/vision/onlooker.ts';
import type { ThreadAnswer, ThreadRequest } from '../../../src/vision/threadMessages.ts';
import { createVisionThread, type VisionThread } from '../../../src/vision/visionThread.ts';
import { startWorker } from './startWorker.ts';
import type { ThreadStart } from './visionWorker.ts';

/** A worker thread of Node that looks at pictures. It is given the bytes of its models. */
export type NodeThread = VisionThread<Picture, OnlookerModels>;

/** Ends in `.ts` when the sources run, in `.js` when they were built. */
const SCRIPT = new URL(`./visionWorker${import.meta.url.slice(-3)}`, import.meta.url);

/** How a thread runs. */
export type NodeThreadOptions = {
  /** How long an answer may take before the thread counts as hanging. */
  readonly hangMs?: number;
  /** Whether other threads of the process go first; on Linux only. */
  readonly givesWay?: boolean;
  /** What the thread runs; another one in tests. */
  readonly script?: URL;
};

/** Starts a thread. */
export function startNodeThread({ hangMs, givesWay = false, script = SCRIPT }: NodeThreadOptions = {}): NodeThread {
  return createVisionThread<Picture, OnlookerModels>(({ heard, ended }) => {
    const start: ThreadStart = { givesWay };
    const worker = startWorker(script, start);
    worker.on('message', (answer: ThreadAnswer) => heard(answer));
    worker.on('error', ended);
    worker.on('exit', () => ended(new Error('the thread ended')));
    worker.unref();
    return {
      post: (request) => post(worker, request),
      terminate: () => worker.terminate(),
      setBusy: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    };
  }, hangMs);
}

/** The caller keeps its picture; a copy moves to the thread, and is gone here. */
function post(worker: Worker, request: ThreadRequest<Picture, OnlookerModels>): void {
  if (request.type !== 'look') return worker.postMessage(request);
  const { picture } = request;
  const bytes = new Uint8Array('jpeg' in picture ? picture.jpeg : picture.rgba);
  const copy = 'jpeg' in picture ? { ...picture, jpeg: bytes } : { ...picture, rgba: bytes };
  worker.postMessage({ ...request, picture: copy }, [bytes.buffer]);
}
