import { importOptional } from './importOptional.ts';

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/**
 * Loads the native TensorFlow library, the GPU one if it is there. We never install it: its install script downloads the
 * library from elsewhere. Rejects with one line that says why it cannot be used.
 */
export async function loadTensorflow(): Promise<void> {
  const reasons: string[] = [];
  for (const name of PACKAGES) {
    try {
      if ((await importOptional(name)) !== undefined) return;
    } catch (error) {
      const said = error instanceof Error ? error.message.trim().split('\n', 1)[0] : 'it does not load';
      reasons.push(`${name}: ${said}`);
    }
  }
  throw new Error(reasons.join('; ') || `not installed (npm i ${PACKAGES[0]})`);
}
