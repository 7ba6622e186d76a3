import { createVisionThread, type VisionThread } from '../../../vision/visionThread.ts';
import type { ThreadAnswer } from '../../../vision/threadMessages.ts';
import type { AssetUrls, TimedImage } from './timedImage.ts';

/** A module worker that looks at pictures. It fetches its models itself. */
export type WebThread = VisionThread<TimedImage, AssetUrls>;

/** Starts a worker. @param workerUrl The worker's script; the one beside this unless given. @param hangMs See createVisionThread. */
export function startWebThread(workerUrl?: string, hangMs?: number): WebThread {
  return createVisionThread<TimedImage, AssetUrls>(({ heard, ended }) => {
    // Bundlers find the worker by this very form.
    const worker =
      workerUrl === undefined
        ? new Worker(new URL('./visionWorker.js', import.meta.url), { type: 'module' })
        : new Worker(workerUrl, { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      ended(new Error('the worker ended'));
    };
    return {
      post: (request) => worker.postMessage(request, request.type === 'look' ? [request.picture.image] : []),
      terminate: async () => worker.terminate(),
      setBusy: () => undefined,
    };
  }, hangMs);
}
