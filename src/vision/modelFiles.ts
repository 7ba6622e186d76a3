import type { VisionModality } from '../adapter.ts';
import type { ModelFile } from '../domain/modelCatalogue.ts';

/** The model that each modality is read with, in Node and in browsers. */
export const MODEL_FILES: Readonly<Record<VisionModality, ModelFile>> = {
  face: {
    file: 'face_landmarker.task',
    sizeBytes: 3_758_596,
    sha256: '64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff',
  },
  body: {
    file: 'pose_landmarker_lite.task',
    sizeBytes: 5_786_308,
    sha256: '8fe1ba1f29fe841202cafc37fba413e030204750f36cec9bd38177a2d0bc5ffa',
  },
};
