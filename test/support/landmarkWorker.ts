import { parentPort } from 'node:worker_threads';
import { decodePicture } from '../../adapters/vision/mediapipe/decodePicture.ts';
import { loadVisionRuntime } from '../../adapters/vision/mediapipe/loadVisionRuntime.ts';
import type { PixelPicture } from './callVideo.ts';
import type { Point } from './visionSpyMessages.ts';

/** Pictures of one person, in order, and the models. */
export type LandmarkRequest = {
  readonly face: Uint8Array;
  readonly body: Uint8Array;
  readonly pictures: readonly PixelPicture[];
};
/** All landmarks of the last picture: 478 of the face, 33 of the body. */
export type LandmarkAnswer = { readonly face: readonly Point[]; readonly body: readonly Point[] };
type Found = { readonly faceLandmarks: readonly Point[][]; readonly landmarks: readonly Point[][] };

/** A thread that gives landmarks themselves, which no thread of the product does, to know what to search for. */
parentPort?.once('message', ({ face, body, pictures }: LandmarkRequest) => {
  void findLandmarks(face, body, pictures).then((answer) => parentPort?.postMessage(answer));
});

async function findLandmarks(
  face: Uint8Array,
  body: Uint8Array,
  pictures: readonly PixelPicture[],
): Promise<LandmarkAnswer> {
  const runtime = await loadVisionRuntime();
  const faces = await runtime.createTask<Found>(
    (library, fileset, options) =>
      library.FaceLandmarker.createFromOptions(fileset, {
        ...options,
        numFaces: 2,
        outputFaceBlendshapes: true,
        outputFacialTransformationMatrixes: true,
      }),
    face,
  );
  const bodies = await runtime.createTask<Found>(
    (library, fileset, options) => library.PoseLandmarker.createFromOptions(fileset, { ...options, numPoses: 1 }),
    body,
  );
  let found: LandmarkAnswer = { face: [], body: [] };
  for (const picture of pictures) {
    const pixels = decodePicture(picture);
    if (typeof pixels === 'string') throw new Error(pixels);
    // The times that an onlooker gives its first picture and those after.
    const clockMs = 1 + picture.atMs;
    const [faceLandmarks = []] = faces.detectForVideo(pixels, clockMs).faceLandmarks;
    const [landmarks = []] = bodies.detectForVideo(pixels, clockMs).landmarks;
    found = { face: faceLandmarks, body: landmarks };
  }
  return found;
}
