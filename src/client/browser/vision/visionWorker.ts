import { createRequestHandler } from '../../../vision/createRequestHandler.ts';
import { MODEL_FILES } from '../../../vision/modelFiles.ts';
import { createOnlooker } from '../../../vision/onlooker.ts';
import type { ThreadAnswer, ThreadRequest } from '../../../vision/threadMessages.ts';
import type { VisionRuntime } from '../../../vision/visionRuntime.ts';
import { fetchChecked } from './fetchChecked.ts';
import { createImageReader } from './readImage.ts';
import { loadWebRuntime } from './loadWebRuntime.ts';
import type { AssetUrls, TimedImage } from './timedImage.ts';

/** The part of a worker's global object that is used; the DOM's types are those of a page. */
type WorkerScope = {
  onmessage: ((event: MessageEvent<ThreadRequest<TimedImage, AssetUrls>>) => void) | null;
  postMessage(message: ThreadAnswer): void;
};

/** The module worker that looks. It ends when its owner ends it. Only what is looked for is fetched. */
const scope = globalThis as unknown as WorkerScope;
let runtime: Promise<VisionRuntime> | undefined;
const handle = createRequestHandler<TimedImage, AssetUrls>({
  open: async (modalities, { wasmUrl, face, body }, onProgress) => {
    runtime ??= loadWebRuntime(wasmUrl, onProgress);
    const models = {
      ...(face !== undefined && { face: await fetchChecked(face, MODEL_FILES.face, onProgress) }),
      ...(body !== undefined && { body: await fetchChecked(body, MODEL_FILES.body, onProgress) }),
    };
    return createOnlooker(await runtime, modalities, models);
  },
  read: createImageReader(),
  release: ({ image }) => image.close(),
  answer: (message) => scope.postMessage(message),
});
scope.onmessage = ({ data }) => handle(data);
