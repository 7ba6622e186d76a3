import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Probe } from '../doctor.ts';

/** The file MediaPipe's face landmarker (with blendshapes) comes in. */
export const FACE_MODEL_FILE = 'face_landmarker.task';
/** Its size in bytes as published (float16, version 1). */
const PUBLISHED_BYTES = 3_758_596;

/** Returns the folder in which models are looked for: UNDERTONE_MODELS when set, else `~/.cache/undertone/models`. */
export function modelsFolder(env: Readonly<Record<string, string | undefined>>, home: string = homedir()): string {
  const named = env['UNDERTONE_MODELS'] ?? '';
  return named === '' ? join(home, '.cache', 'undertone', 'models') : named;
}

/** Returns a probe that finds the face model in a folder. A file of another size than the published one is said aloud. */
export function createFaceModelProbe(folder: string): Probe {
  return async () => {
    const path = join(folder, FACE_MODEL_FILE);
    const found = await stat(path).catch(() => null);
    if (!found?.isFile()) return { isFound: false, reason: `${path} does not exist` };
    if (found.size === PUBLISHED_BYTES) return { isFound: true, version: 'float16, version 1', from: path };
    return { isFound: false, reason: `${path} has ${found.size} bytes instead of ${PUBLISHED_BYTES}` };
  };
}
