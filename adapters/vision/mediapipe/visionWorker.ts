import { parentPort } from 'node:worker_threads';
import { createOnlooker, type Onlooker } from './onlooker.ts';
import { loadVisionRuntime } from './visionRuntime.ts';
import type { WorkerAnswer, WorkerRequest } from './workerMessages.ts';

/** The thread that looks: requests are done one after the other. It ends when its owner ends it. */
const onlookers = new Map<number, Onlooker>();
const runtime = loadVisionRuntime();
let last: Promise<void> = runtime.then(() => undefined);

parentPort?.on('message', (request: WorkerRequest) => {
  last = last.then(() => handle(request));
});

async function handle(request: WorkerRequest): Promise<void> {
  const { id } = request;
  try {
    if (request.type === 'open') {
      onlookers.set(id, await createOnlooker(await runtime, request.modalities, request.models));
      answer({ type: 'opened', id });
    } else if (request.type === 'look') {
      const onlooker = onlookers.get(id);
      if (!onlooker) throw new Error('the stream is not open here');
      answer({ type: 'seen', id, sightings: await onlooker.look(request.picture) });
    } else {
      onlookers.get(id)?.close();
      onlookers.delete(id);
    }
  } catch (error) {
    answer({ type: 'failed', id, message: error instanceof Error ? error.message : 'unknown' });
  }
}

function answer(message: WorkerAnswer): void {
  parentPort?.postMessage(message);
}
