import { FACE_COLUMNS, toFaceFrame } from '../../features/face/faceFrame.ts';
import { UndertoneError } from '../../errors.ts';
import { BLENDSHAPES } from '../../features/face/blendshapes.ts';
import type { Dataset, Feature } from '../dataset.ts';

/** Entries of a facial transformation matrix. */
const MATRIX_SIZE = 16;

/**
 * Returns the dataset with one or two more features: `face`, for each picture a sequence of one row of FACE_COLUMNS, made
 * from its features `blendshapes` (52) and, where present, `matrix` (16); and, if it has `blendshapes_flip`, `face_flip`,
 * the same of the mirrored picture: a variant to train with, of which a picture may have none. Places of heads are 0,
 * because in cut-out stills they mean nothing. Rows are made when asked for, so memory does not grow.
 * @throws UndertoneError BAD_DATASET when `blendshapes` is missing, or a feature is not a vector of the width above.
 */
export function withFaceFrames(dataset: Dataset): Dataset {
  const face = toFaceFeature(dataset, 'face', '');
  if (!face) throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: it has no feature "blendshapes"`);
  const mirrored = toFaceFeature(dataset, 'face_flip', '_flip');
  const made = [face, ...(mirrored ? [mirrored] : [])];
  return { ...dataset, features: new Map([...dataset.features, ...made.map((f) => [f.name, f] as const)]) };
}

function toFaceFeature(dataset: Dataset, name: string, suffix: string): Feature | undefined {
  const blendshapes = vectorOf(dataset, `blendshapes${suffix}`, BLENDSHAPES.length);
  const matrix = vectorOf(dataset, `matrix${suffix}`, MATRIX_SIZE);
  if (!blendshapes) return undefined;
  return {
    name,
    modality: 'face',
    kind: 'sequence',
    dim: FACE_COLUMNS.length,
    rowsOf: (u) => {
      const own = blendshapes.rowsOf(u);
      return own && toFaceFrame(own, matrix?.rowsOf(u), { hasPlace: false });
    },
  };
}

function vectorOf(dataset: Dataset, name: string, dim: number): Feature | undefined {
  const feature = dataset.features.get(name);
  if (feature && !(feature.kind === 'vector' && feature.dim === dim))
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: feature "${name}" is not a vector of ${dim}`);
  return feature;
}
