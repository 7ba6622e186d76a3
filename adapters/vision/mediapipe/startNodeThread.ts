import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { pathToFileURL } from 'node:url';
import type { Picture } from '../../../src/adapter.ts';
import type { OnlookerModels } from '../../../src/vision/onlooker.ts';
import type { ThreadAnswer, ThreadRequest } from '../../../src/vision/threadMessages.ts';
import type { ThreadStart } from './visionWorker.ts';
import { createVisionThread, type VisionThread } from '../../../src/vision/visionThread.ts';

/** A worker thread of Node that looks at pictures. It is given the bytes of its models. */
export type NodeThread = VisionThread<Picture, OnlookerModels>;

/** How a thread runs. */
export type NodeThreadOptions = {
  /** How long an answer may take before the thread counts as hanging. */
  readonly hangMs?: number;
  /** Whether other threads of the process go first; on Linux only. */
  readonly givesWay?: boolean;
};

/** Starts a thread. */
export function startNodeThread({ hangMs, givesWay = false }: NodeThreadOptions = {}): NodeThread {
  return createVisionThread<Picture, OnlookerModels>(({ heard, ended }) => {
    const worker = startWorker({ givesWay });
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

/** From the sources (tests, `npx tsx`) the thread needs tsx, too. What the library prints is not kept. */
function startWorker(workerData: ThreadStart): Worker {
  const options = { workerData, stdout: true, stderr: true };
  if (import.meta.url.endsWith('.js'))
    return drained(new Worker(new URL('./visionWorker.js', import.meta.url), options));
  const loader = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const source = new URL('./visionWorker.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(loader)}).then(({ tsImport }) => tsImport(${JSON.stringify(source)}, ${JSON.stringify(source)}))`;
  return drained(new Worker(code, { ...options, eval: true }));
}

function drained(worker: Worker): Worker {
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}
