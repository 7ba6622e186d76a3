import { UndertoneError } from '../../../src/errors.ts';
import { INPUT_SAMPLES } from './sileroFrames.ts';
import type { SileroRuntime } from './sileroRuntime.ts';

/** The recurrent state of one stream, two layers of 128 numbers, one after the other. */
export type SileroState = Float32Array;

/** One step of the model for one stream: the probability of its frame, and the state to go on from. */
export type SileroStep = { readonly probability: number; readonly state: SileroState };

/** Asks the model of a frame with its context; `state` is null for the first of a stream. */
export type Classify = (input: Float32Array, state: SileroState | null) => Promise<SileroStep>;

/** The most frames that the model is asked of at once, about 7 ms of work. */
export const MAX_BATCH = 128;

const LAYERS = 2;
const LAYER_SIZE = 128;
const STATE_SIZE = LAYERS * LAYER_SIZE;
const SAMPLE_RATE_HZ = 16_000n;

type Asked = {
  readonly input: Float32Array;
  readonly state: SileroState | null;
  readonly resolve: (step: SileroStep) => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * Returns what asks the model of the frames of many streams at once: a frame waits for those of other streams that come in
 * the same turn of the event loop, in `gatherMs` when that is more than 0, or while the batch before runs; the first come
 * are the first asked. A third of the work of one frame after another, and the same numbers: each row of a batch is computed
 * as if it were alone. A batch that fails rejects all of its frames.
 */
export function createBatcher({ session, Tensor }: SileroRuntime, gatherMs: number): Classify {
  const sampleRate = new Tensor('int64', BigInt64Array.of(SAMPLE_RATE_HZ), []);
  const waiting: Asked[] = [];
  let isUnderWay = false;

  const run = async (batch: readonly Asked[]): Promise<void> => {
    const { input, state } = pack(batch);
    const { output, stateN } = await session.run({
      input: new Tensor('float32', input, [batch.length, INPUT_SAMPLES]),
      state: new Tensor('float32', state, [LAYERS, batch.length, LAYER_SIZE]),
      sr: sampleRate,
    });
    if (!(output?.data instanceof Float32Array) || !(stateN?.data instanceof Float32Array))
      throw new UndertoneError('INTERNAL', 'Silero VAD gave no probability');
    unpack(batch, output.data, stateN.data);
  };
  const next = async (): Promise<void> => {
    const batch = waiting.splice(0, MAX_BATCH);
    await run(batch).catch((cause: unknown) => {
      for (const { reject } of batch) reject(cause);
    });
    isUnderWay = false;
    if (waiting.length > 0) begin();
  };
  const begin = (): void => {
    isUnderWay = true;
    if (gatherMs > 0 && waiting.length < MAX_BATCH) setTimeout(() => void next(), gatherMs);
    else setImmediate(() => void next());
  };
  return (input, state) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, state, resolve, reject });
      if (!isUnderWay) begin();
    });
}

/** The inputs, row after row, and the states, layer after layer; silence for who has none. */
function pack(batch: readonly Asked[]): { readonly input: Float32Array; readonly state: Float32Array } {
  const input = new Float32Array(batch.length * INPUT_SAMPLES);
  const packed = new Float32Array(batch.length * STATE_SIZE);
  for (const [row, asked] of batch.entries()) {
    input.set(asked.input, row * INPUT_SAMPLES);
    for (let layer = 0; layer < LAYERS && asked.state; layer++)
      packed.set(asked.state.subarray(layer * LAYER_SIZE, (layer + 1) * LAYER_SIZE), placeOf(layer, row, batch.length));
  }
  return { input, state: packed };
}

function unpack(batch: readonly Asked[], probabilities: Float32Array, packed: Float32Array): void {
  for (const [row, { resolve }] of batch.entries()) {
    const state = new Float32Array(STATE_SIZE);
    for (let layer = 0; layer < LAYERS; layer++) {
      const at = placeOf(layer, row, batch.length);
      state.set(packed.subarray(at, at + LAYER_SIZE), layer * LAYER_SIZE);
    }
    resolve({ probability: probabilities[row] ?? 0, state });
  }
}

function placeOf(layer: number, row: number, rows: number): number {
  return (layer * rows + row) * LAYER_SIZE;
}
