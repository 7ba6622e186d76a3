import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { InferenceSession, TensorConstructor } from 'onnxruntime-node';
import { UndertoneError } from '../../../src/errors.ts';
import { buildSileroGraph } from './sileroGraph.ts';

/** What runs the model, in the order in which they are tried: a native binary, then WebAssembly. */
export const SILERO_RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const;
/** One runtime of {@link SILERO_RUNTIMES}. */
export type SileroRuntimeName = (typeof SILERO_RUNTIMES)[number];

/** A loaded runtime: the session of the one model, and its tensors. */
export type SileroRuntime = {
  readonly name: SileroRuntimeName;
  readonly version: string;
  readonly session: InferenceSession;
  readonly Tensor: TensorConstructor;
};

const MODEL_PACKAGE = '@ricky0123/vad-web';
const MODEL_FILE = `${MODEL_PACKAGE}/dist/silero_vad_v6.onnx`;
const { resolve } = createRequire(import.meta.url);

/**
 * Loads Silero VAD v6 (MIT, inside @ricky0123/vad-web) into the first of `names` that works. One thread: a frame is too
 * small to share, and the other cores have other conversations.
 * @throws UndertoneError VAD_MISSING when the model or every runtime is missing; it names what was tried.
 */
export async function loadSileroRuntime(names: readonly SileroRuntimeName[] = SILERO_RUNTIMES): Promise<SileroRuntime> {
  const model = await readModel();
  const causes: unknown[] = [];
  for (const name of names) {
    try {
      return await load(name, model);
    } catch (cause) {
      causes.push(cause);
    }
  }
  const message = `Silero VAD runs on none of: ${names.join(', ')}; reinstall one of these packages`;
  throw new UndertoneError('VAD_MISSING', message, { cause: new AggregateError(causes) });
}

async function readModel(): Promise<Uint8Array> {
  try {
    return buildSileroGraph(await readFile(resolve(MODEL_FILE)));
  } catch (cause) {
    const what = cause instanceof RangeError ? 'is not the model that is known here' : 'is not there';
    throw new UndertoneError('VAD_MISSING', `${MODEL_FILE} ${what}; reinstall ${MODEL_PACKAGE}`, { cause });
  }
}

/**
 * Both packages have the same interface; each is loaded only when it is used. onnxruntime-node 1.30 writes a device id
 * below the home folder and reports events to Microsoft unless it is told not to before it is loaded, which happens nowhere
 * else; somebody's own choice is kept. Source: microsoft/onnxruntime pull request 27379 (every system but Windows).
 */
async function load(name: SileroRuntimeName, model: Uint8Array): Promise<SileroRuntime> {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  if (name === 'onnxruntime-node') {
    const { InferenceSession, Tensor, env } = await import('onnxruntime-node');
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' } as const;
    return { name, version: env.versions.common, session: await InferenceSession.create(model, options), Tensor };
  }
  const { InferenceSession, Tensor, env } = await import('onnxruntime-web');
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(model, { executionProviders: ['wasm'] });
  return { name, version: env.versions.common, session, Tensor };
}
