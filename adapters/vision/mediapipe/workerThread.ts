import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { pathToFileURL } from 'node:url';
import type { Picture, Sighting, VisionModality } from '../../../src/adapter.ts';
import type { OnlookerModels } from './onlooker.ts';
import type { WorkerAnswer, WorkerRequest } from './workerMessages.ts';

/** A thread that looks at pictures. Every promise rejects once the thread has ended. */
export type VisionThread = {
  open(id: number, modalities: readonly VisionModality[], models: OnlookerModels): Promise<void>;
  look(id: number, picture: Picture): Promise<readonly Sighting[]>;
  forget(id: number): void;
  end(): Promise<void>;
  /** Whether the thread has ended. */
  readonly hasEnded: boolean;
};

/** A thread that says nothing for this long hangs, and is ended. */
const HANG_MS = 60_000;

type Waiting = { readonly resolve: (sightings: readonly Sighting[]) => void; readonly reject: (cause: Error) => void };

/** Starts a thread. @param hangMs How long an answer may take before the thread counts as hanging. */
export function startVisionThread(hangMs: number = HANG_MS): VisionThread {
  const worker = startWorker();
  const waiting = new Map<number, Waiting>();
  let watch: NodeJS.Timeout | undefined;
  let ended: Error | undefined;
  const end = (cause: Error): void => {
    ended ??= cause;
    clearTimeout(watch);
    const left = [...waiting.values()];
    waiting.clear();
    for (const { reject } of left) reject(ended);
  };
  const watchOver = (): void => {
    clearTimeout(watch);
    if (waiting.size > 0) watch = setTimeout(() => void worker.terminate(), hangMs).unref();
    if (waiting.size > 0) worker.ref();
    else worker.unref();
  };
  const ask = (request: WorkerRequest, transfer: ArrayBuffer[] = []): Promise<readonly Sighting[]> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      waiting.set(request.id, { resolve, reject });
      worker.postMessage(request, transfer);
      watchOver();
    });
  worker.on('message', (answer: WorkerAnswer) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    watchOver();
    if (answer.type === 'failed') asked?.reject(new Error(answer.message));
    else asked?.resolve(answer.type === 'seen' ? answer.sightings : []);
  });
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the thread ended')));
  worker.unref();
  return {
    open: async (id, modalities, models) => void (await ask({ type: 'open', id, modalities, models })),
    look: (id, picture) => {
      const copy = copyOf(picture);
      return ask({ type: 'look', id, picture: copy.picture }, [copy.buffer]);
    },
    forget: (id) => {
      if (!ended) worker.postMessage({ type: 'close', id } satisfies WorkerRequest);
    },
    end: async () => {
      end(new Error('the thread was ended'));
      await worker.terminate();
    },
    get hasEnded() {
      return ended !== undefined;
    },
  };
}

/** The caller keeps its picture; the copy moves to the thread, and is gone here. */
function copyOf(picture: Picture): { readonly picture: Picture; readonly buffer: ArrayBuffer } {
  const bytes = new Uint8Array('jpeg' in picture ? picture.jpeg : picture.rgba);
  const copy = 'jpeg' in picture ? { ...picture, jpeg: bytes } : { ...picture, rgba: bytes };
  return { picture: copy, buffer: bytes.buffer };
}

/** From the sources (tests, `npx tsx`) the thread needs tsx, too. What the library prints is not kept. */
function startWorker(): Worker {
  const options = { stdout: true, stderr: true };
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
