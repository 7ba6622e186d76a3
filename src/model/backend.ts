import * as tf from '@tensorflow/tfjs-core';
import { UndertoneError } from '../errors.ts';
import { loadTensorflow } from './backends/tensorflow.ts';
import { loadWebgpu } from './backends/webgpu.ts';

/** Tensor backends, the fastest for large batches first. */
export const BACKENDS = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const;
/** One backend of {@link BACKENDS}. */
export type Backend = (typeof BACKENDS)[number];

/**
 * Backends that can serve a conversation, in the order in which they are tried. A live step reads its results back at once,
 * which webgpu cannot do; and it is one utterance: 0.75 ms on wasm, while a device costs more than that in some two hundred
 * launches before it computes anything (measured at batch 1: wasm 0.75 ms, at 64: 15 ms; ../shared/docs/FACTS.md).
 */
export const LIVE_BACKENDS: readonly Backend[] = ['wasm', 'tensorflow', 'cpu'];

/** What a backend is started for: single utterances as they come, or large batches with gradients. */
export type BackendPurpose = 'live' | 'training';

/** A backend that runs, and why the ones before it do not, one line each. */
export type StartedBackend = { readonly name: Backend; readonly version: string; readonly skipped: readonly string[] };

/**
 * Starts the first backend that works here and multiplies two matrices rightly: the wanted one, or whichever the purpose
 * puts first. The process has one tensor backend; starting it again is cheap. Only who names webgpu gets a software one.
 * @throws UndertoneError NO_BACKEND with the reason of each attempt
 */
export async function startBackend(
  wanted: Backend | 'auto' = 'auto',
  purpose: BackendPurpose = 'live',
): Promise<StartedBackend> {
  const skipped: string[] = [];
  const order: readonly Backend[] = purpose === 'live' ? LIVE_BACKENDS : BACKENDS;
  for (const name of wanted === 'auto' ? order : [wanted]) {
    const reason = order.includes(name) ? await start(name, wanted !== 'auto') : notFor(name);
    if (reason === undefined) return { name, version: tf.version_core, skipped };
    skipped.push(`${name}: ${reason}`);
  }
  throw new UndertoneError('NO_BACKEND', `no tensor backend could be started (${skipped.join('; ')})`);
}

/** Loads the library of each backend, so that `tf.setBackend` knows it. Each rejects with one line that says why not. */
const LOADERS: Readonly<Record<Backend, (allowSoftware: boolean) => Promise<void>>> = {
  tensorflow: loadTensorflow,
  webgpu: loadWebgpu,
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

/** Starts one backend; returns why it does not work, or `undefined` when it does. */
async function start(name: Backend, allowSoftware: boolean): Promise<string | undefined> {
  try {
    await LOADERS[name](allowSoftware);
    tf.enableProdMode(); // before the first operation: else the plain backend advertises another one on standard error
    if (!(await tf.setBackend(name))) return 'did not start';
    if (!(await computes())) return 'gives wrong results';
    return undefined;
  } catch (error) {
    return error instanceof Error ? firstLine(error.message) : 'did not load';
  }
}

function notFor(name: Backend): string {
  if (!BACKENDS.includes(name)) return `there is no such backend, only ${BACKENDS.join(', ')}`;
  return 'it cannot serve a conversation, which needs results read back at once';
}

/** Whether a small product comes out right: a library may load and then fail at the first operation. */
async function computes(): Promise<boolean> {
  const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])));
  const values = await product.data();
  product.dispose();
  return values[0] === 11;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
