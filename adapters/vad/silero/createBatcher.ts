import { UndertoneError } from '../../../src/errors.ts';
import { INPUT_SAMPLES } from './sileroFrames.ts';
import { HALF_SAMPLES, HALVES, LAYER_SIZE } from './sileroGraph.ts';
import type { SileroRuntime } from './sileroRuntime.ts';

/** The recurrent state of one stream, 128 hidden numbers and then those of 128 cells. */
export type SileroState = Float32Array;

/** One step of the model for one stream: the probability of its frame, and the state to go on from. */
export type SileroStep = { readonly probability: number; readonly state: SileroState };

/** Asks the model of a frame with its context; `state` is null for the first of a stream. */
export type Classify = (input: Float32Array, state: SileroState | null) => Promise<SileroStep>;

/**
 * The most frames that the model is asked of at once, about 9 ms of work. A turn of the event loop asks once, so a server that
 * has much to do asks seldom, and of many frames.
 */
export const MAX_BATCH = 512;

const STATE_SIZE = 2 * LAYER_SIZE;
/** Samples of the last half window that are there; the others are those before them, mirrored. */
const REAL_SAMPLES = INPUT_SAMPLES - (HALVES - 1) * HALF_SAMPLES;

type Asked = {
  readonly input: Float32Array;
  readonly state: SileroState | null;
  readonly resolve: (step: SileroStep) => void;
  readonly reject: (cause: unknown) => void;
};

/**
 * Returns what asks the model of the frames of many streams at once: a frame waits for those of other streams that come in
 * the same turn of the event loop, in `gatherMs` when that is more than 0, or while the batch before runs; the first come
 * are the first asked. A fifth of the work of one frame after another, and the same numbers: each row of a batch is computed
 * as if it were alone. A batch that fails rejects all of its frames.
 */
export function createBatcher({ session, Tensor }: SileroRuntime, gatherMs: number): Classify {
  const waiting: Asked[] = [];
  let isUnderWay = false;

  const run = async (batch: readonly Asked[]): Promise<void> => {
    const { halves, hidden, cell } = pack(batch);
    const state = [1, batch.length, LAYER_SIZE];
    const { speech, hiddenN, cellN } = await session.run({
      halves: new Tensor('float32', halves, [HALVES, batch.length, HALF_SAMPLES]),
      hidden: new Tensor('float32', hidden, state),
      cell: new Tensor('float32', cell, state),
    });
    unpack(batch, numbersOf(speech), [numbersOf(hiddenN), numbersOf(cellN)]);
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

type Packed = { readonly halves: Float32Array; readonly hidden: Float32Array; readonly cell: Float32Array };

/** The half windows, all first ones first, and the states, row after row; silence for who has none. */
function pack(batch: readonly Asked[]): Packed {
  const rows = batch.length;
  const halves = new Float32Array(HALVES * rows * HALF_SAMPLES);
  const [hidden, cell] = [new Float32Array(rows * LAYER_SIZE), new Float32Array(rows * LAYER_SIZE)];
  for (const [row, { input, state }] of batch.entries()) {
    for (let half = 0; half < HALVES; half++)
      halves.set(input.subarray(half * HALF_SAMPLES, (half + 1) * HALF_SAMPLES), (half * rows + row) * HALF_SAMPLES);
    const mirror = ((HALVES - 1) * rows + row) * HALF_SAMPLES + REAL_SAMPLES;
    for (let i = 0; i < HALF_SAMPLES - REAL_SAMPLES; i++) halves[mirror + i] = input[INPUT_SAMPLES - 2 - i] ?? 0;
    if (!state) continue;
    hidden.set(state.subarray(0, LAYER_SIZE), row * LAYER_SIZE);
    cell.set(state.subarray(LAYER_SIZE), row * LAYER_SIZE);
  }
  return { halves, hidden, cell };
}

function unpack(
  batch: readonly Asked[],
  probabilities: Float32Array,
  layers: readonly [Float32Array, Float32Array],
): void {
  for (const [row, { resolve }] of batch.entries()) {
    const state = new Float32Array(STATE_SIZE);
    for (const [layer, values] of layers.entries())
      state.set(values.subarray(row * LAYER_SIZE, (row + 1) * LAYER_SIZE), layer * LAYER_SIZE);
    resolve({ probability: probabilities[row] ?? 0, state });
  }
}

function numbersOf(output: { readonly data: unknown } | undefined): Float32Array {
  if (output?.data instanceof Float32Array) return output.data;
  throw new UndertoneError('INTERNAL', 'Silero VAD gave no probability');
}
