import * as tf from '@tensorflow/tfjs-core';
import { UndertoneError } from '../errors.ts';

/** Tensor backends, best first. */
export const BACKENDS = ['wasm', 'cpu'] as const;
/** One backend of {@link BACKENDS}. */
export type Backend = (typeof BACKENDS)[number];

/** A backend that runs, and why the ones before it do not. */
export type StartedBackend = { readonly name: Backend; readonly version: string; readonly skipped: readonly string[] };

/**
 * Starts the first backend of the list that works here: the wanted one, or `wasm`, then `cpu`. The process has one tensor
 * backend; starting it again is cheap. @throws UndertoneError NO_BACKEND with the reason of each attempt
 */
export async function startBackend(wanted: Backend | 'auto' = 'auto'): Promise<StartedBackend> {
  const skipped: string[] = [];
  for (const name of wanted === 'auto' ? BACKENDS : [wanted]) {
    try {
      await LOADERS[name]();
      if (await tf.setBackend(name)) {
        tf.enableProdMode();
        return { name, version: tf.version_core, skipped };
      }
      skipped.push(`${name}: did not start`);
    } catch (error) {
      skipped.push(`${name}: ${error instanceof Error ? error.message : 'did not load'}`);
    }
  }
  throw new UndertoneError('NO_BACKEND', `no tensor backend could be started (${skipped.join('; ')})`);
}

const LOADERS: Readonly<Record<Backend, () => Promise<void>>> = {
  wasm: async () => {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths(folderOf(import.meta.resolve('@tensorflow/tfjs-backend-wasm')));
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
  },
};

/** The folder of a file: URL as a path; blanks and umlauts are escaped in URLs, and Windows paths begin with a drive. */
function folderOf(url: string): string {
  return decodeURIComponent(new URL('.', url).pathname).replace(/^\/(?=[A-Za-z]:)/, '');
}
