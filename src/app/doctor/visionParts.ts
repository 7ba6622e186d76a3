import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { MODEL_CATALOGUE } from '../../../adapters/vision/mediapipe/modelCatalogue.ts';
import type { VisionModality } from '../../adapter.ts';
import type { Probe } from '../doctor.ts';
import { verifyModel } from '../models/modelStore.ts';

/** Returns a probe that checks the model of a modality in a folder, byte for byte; a model that is built needs its package only. */
export function createModelProbe(modality: VisionModality, folder: string): Probe {
  return async () => {
    const model = MODEL_CATALOGUE.find((entry) => entry.modality === modality);
    if (!model) return { isFound: false, reason: 'no model is known' };
    const version = `${model.file}, sha256 ${model.sha256.slice(0, 8)}…`;
    const path = join(folder, model.file);
    const state = await verifyModel(model, folder);
    if (state.isThere) return { isFound: true, version, from: path };
    if (model.origin.kind === 'build' && state.reason === 'not there') {
      await model.origin.build();
      return { isFound: true, version, from: `built from ${model.origin.from}` };
    }
    return { isFound: false, reason: `${path}: ${state.reason}` };
  };
}

/** Finds tasks-vision; it is not started, which takes a second. */
export const probeVision: Probe = async () => {
  const entry = createRequire(import.meta.url).resolve('@mediapipe/tasks-vision');
  const text = await readFile(join(dirname(entry), 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return { isFound: true, version, from: '@mediapipe/tasks-vision, on the CPU' };
};
