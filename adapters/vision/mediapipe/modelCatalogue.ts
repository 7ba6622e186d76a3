import type { VisionModality } from '../../../src/adapter.ts';
import type { CatalogueModel } from '../../../src/domain/modelCatalogue.ts';
import { MODEL_FILES } from '../../../src/vision/modelFiles.ts';
import { buildPoseTask } from './buildPoseTask.ts';

/** The models of MediaPipe that are read, by name. */
export const MODEL_CATALOGUE: readonly CatalogueModel<VisionModality>[] = Object.freeze([
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
