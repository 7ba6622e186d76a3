import type { VisionModality } from '../../../src/adapter.ts';
import { buildPoseTask } from './buildPoseTask.ts';

/** How a model is got: from a server, or put together from an installed package. */
export type ModelOrigin =
  | { readonly kind: 'download'; readonly url: string }
  | { readonly kind: 'build'; readonly from: string; build(): Promise<Uint8Array> };

/** A model file and what it must be. */
export type CatalogueModel = {
  readonly name: string;
  readonly file: string;
  readonly modality: VisionModality;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly licence: string;
  readonly origin: ModelOrigin;
};

/** The models of MediaPipe that are read, by name. */
export const MODEL_CATALOGUE: readonly CatalogueModel[] = Object.freeze([
  {
    name: 'face',
    file: 'face_landmarker.task',
    modality: 'face',
    sizeBytes: 3_758_596,
    sha256: '64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff',
    licence: 'Apache-2.0',
    origin: {
      kind: 'download',
      url: 'https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task',
    },
  },
  {
    name: 'pose',
    file: 'pose_landmarker_lite.task',
    modality: 'body',
    sizeBytes: 5_786_308,
    sha256: '8fe1ba1f29fe841202cafc37fba413e030204750f36cec9bd38177a2d0bc5ffa',
    licence: 'Apache-2.0',
    origin: { kind: 'build', from: '@mediapipe/pose@0.5.1675469404', build: buildPoseTask },
  },
]);
