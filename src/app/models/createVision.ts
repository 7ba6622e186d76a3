import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createMediapipeExtractor } from '../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import { MODEL_CATALOGUE } from '../../../adapters/vision/mediapipe/modelCatalogue.ts';
import type { VisionExtractor } from '../../adapter.ts';
import { readModel } from './modelStore.ts';

/**
 * The threads that look at pictures: at most so many, one fewer than there are cores unless told. `givesWay`: what else the
 * process does goes first (on Linux).
 */
export type VisionThreads = { readonly threads?: number; readonly givesWay?: boolean };

/**
 * Returns the extractor with the models of a folder. A model that must be downloaded and is not there is left out, so that its
 * modality is not among the extractor's `modalities`; nothing is downloaded. A damaged one is refused when a
 * stream first needs it. No model is read before that.
 */
export function createVision(folder: string, options: VisionThreads = {}): VisionExtractor {
  const usable = MODEL_CATALOGUE.filter(
    ({ origin, file }) => origin.kind === 'build' || existsSync(join(folder, file)),
  );
  return createMediapipeExtractor({
    models: Object.fromEntries(usable.map((model) => [model.modality, () => readModel(model, folder)])),
    ...options,
  });
}
