import type { VisionModality } from '../../../src/adapter.ts';
import { MODEL_FILES, type ModelFile } from '../../../src/vision/modelFiles.ts';
import { buildPoseTask } from './buildPoseTask.ts';

/** How a model is got: from a server, or put together from an installed package. */
export type ModelOrigin =
  | { readonly kind: 'download'; readonly url: string }
  | { readonly kind: 'build'; readonly from: string; build(): Promise<Uint8Array> };

/** A model file and what it must be. */
export type CatalogueModel = ModelFile & {
  readonly name: string;
  readonly modality: VisionModality;
  readonly licence: string;
  readonly origin: ModelOrigin;
};

/** The models of MediaPipe that are read, by name. */
export const MODEL_CATALOGUE: readonly CatalogueModel[] = Object.freeze([
  {
    name: 'face',
    modality: 'face',
    ...MODEL_FILES.face,
    licence: 'Apache-2.0',
    origin: {
      kind: 'download',
      url: 'https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task',
    },
  },
  {
    name: 'pose',
    modality: 'body',
    ...MODEL_FILES.body,
    licence: 'Apache-2.0',
    origin: { kind: 'build', from: '@mediapipe/pose@0.5.1675469404', build: buildPoseTask },
  },
]);
