import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UndertoneError } from '../../../src/errors.ts';
import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';

/** A thread with a loaded model. */
export type SherpaThread = {
  readonly post: (request: SherpaRequest) => void;
  /** Hears all that the thread tells from now on, and once, with `id: null`, that it has died. */
  readonly listen: (listener: (reply: SherpaReply) => void) => void;
  readonly stop: () => Promise<void>;
};

/** How long a thread may take to end by itself before it is ended. */
const STOP_TIMEOUT_MS = 10_000;

/** Starts a thread and loads a model in it. @throws UndertoneError RECOGNIZER_MISSING, RECOGNIZER_FAILED */
export async function startThread(model: SherpaModel): Promise<SherpaThread> {
  const worker = createWorker(model);
  worker.unref();
  let listener: (reply: SherpaReply) => void = () => undefined;
  let isStopped = false;
  let hasExited = false;
  const first = new Promise<SherpaReply>((resolve) => {
    listener = resolve;
  });
  worker.on('message', (reply: SherpaReply) => {
    listener(reply);
  });
  const die = (): void => {
    if (!isStopped) listener({ type: 'failed', id: null, isMissing: false, reason: 'the thread of sherpa ended' });
    isStopped = true;
  };
  worker.on('error', die);
  worker.on('exit', () => {
    hasExited = true;
    die();
  });
  // Ended from outside in the middle of native code, a thread can take the process with it: it is asked first.
  const stop = async (): Promise<void> => {
    isStopped = true;
    if (hasExited) return;
    const patience = setTimeout(() => void worker.terminate(), STOP_TIMEOUT_MS);
    const exit = once(worker, 'exit');
    worker.ref();
    worker.postMessage({ type: 'stop' } satisfies SherpaRequest);
    await exit;
    clearTimeout(patience);
  };
  worker.ref();
  const reply = await first;
  worker.unref();
  if (reply.type === 'failed') {
    await worker.terminate();
    throw new UndertoneError(reply.isMissing ? 'RECOGNIZER_MISSING' : 'RECOGNIZER_FAILED', reply.reason);
  }
  return {
    post: (request) => {
      worker.postMessage(request, request.type === 'write' ? [request.samples.buffer as ArrayBuffer] : []);
    },
    listen: (to) => {
      listener = to;
    },
    stop,
  };
}

/** Built, the thread runs its own file; from source it is loaded through tsx, because Node 20 does not read TypeScript. */
function createWorker(workerData: SherpaModel): Worker {
  if (import.meta.url.endsWith('.js')) return new Worker(new URL('./sherpaWorker.js', import.meta.url), { workerData });
  const found = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/u, '.mjs');
  const loader = JSON.stringify(pathToFileURL(found).href);
  const source = JSON.stringify(new URL('./sherpaWorker.ts', import.meta.url).href);
  const code = `import(${loader}).then(({ tsImport }) => tsImport(${source}, ${source}))`;
  return new Worker(code, { eval: true, workerData });
}
