import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UndertoneError } from '../errors.ts';
import { decodeWeights, type Weights } from '../model/weights.ts';
import { packageRoot } from './packageRoot.ts';

/** The weights that ship with the package. */
export function shippedWeightsPath(): string {
  return join(packageRoot(), 'src', 'model', 'weights', 'undertone-base.safetensors');
}

/** Reads a weights file, by default the one that ships. @throws UndertoneError FILE_NOT_FOUND, BAD_WEIGHTS */
export async function loadWeights(path: string = shippedWeightsPath()): Promise<Weights> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new UndertoneError('FILE_NOT_FOUND', `weights: ${path} cannot be read`, { cause });
  }
  return decodeWeights(bytes);
}
