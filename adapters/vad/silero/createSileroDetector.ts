import type { VoiceActivityDetector, VoiceActivityStream } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { createSileroFrames, FRAME_SAMPLES, INPUT_SAMPLES } from './sileroFrames.ts';
import { loadSileroRuntime, type SileroRuntime, type SileroRuntimeName } from './sileroRuntime.ts';
import { createSilenceGate } from './silenceGate.ts';

/**
 * `runtimes`: which are tried, in order (both by default). `isGated`: whether long silence skips the model (true by
 * default; false is for comparing).
 */
export type SileroOptions = { readonly runtimes?: readonly SileroRuntimeName[]; readonly isGated?: boolean };

/** The detector, and what it is made of for those who report it. */
export type SileroDetector = VoiceActivityDetector & {
  readonly model: typeof SILERO_MODEL;
  readonly runtime: SileroRuntimeName;
  readonly runtimeVersion: string;
};

/** The model that is used. */
export const SILERO_MODEL = 'silero-vad-v6';
/** The most frames that may wait in one stream, about 10 minutes of sound; `process` throws a RangeError beyond. */
export const MAX_WAITING_FRAMES = 20_000;

const SAMPLE_RATE_HZ = 16_000n;
const FRAME_MS = (FRAME_SAMPLES * 1_000) / Number(SAMPLE_RATE_HZ);
const STATE_SHAPE = [2, 1, 128] as const;
const STATE_SIZE = 2 * 128;

/**
 * Returns a detector that runs Silero VAD v6 on 16 kHz mono sound in frames of 32 ms. All streams share one session; each
 * has a recurrent state of its own, so probabilities depend on the stream's samples alone: not on how they are cut
 * into blocks, nor on other streams. After a second below -70 dB of full scale the probability is 0 and the model
 * is not asked, its state kept as silence left it. Calls to one stream are answered in order, later ones waiting.
 * `process` throws TypeError after `close`. @throws UndertoneError VAD_MISSING
 */
export async function createSileroDetector({ runtimes, isGated = true }: SileroOptions = {}): Promise<SileroDetector> {
  const runtime = await loadSileroRuntime(runtimes);
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  const classify: Classify = createClassify(runtime);
  return {
    name: `${SILERO_MODEL} (${runtime.name} ${runtime.version})`,
    model: SILERO_MODEL,
    runtime: runtime.name,
    runtimeVersion: runtime.version,
    open: () => {
      if (isClosed) throw new TypeError('open: the detector is closed');
      return openStream(classify, {
        isGated,
        isDetectorClosed: () => isClosed,
        onRun: (run) => {
          running.add(run);
          void run.finally(() => running.delete(run));
        },
      });
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await Promise.all(running);
      await runtime.session.release();
    },
  };
}

type State = InstanceType<SileroRuntime['Tensor']>;
type Classified = { readonly probability: number; readonly state: State };
/** One step of the model; without `state` it is the first. */
type Classify = (input: Float32Array, state: State | null) => Promise<Classified>;

function createClassify({ session, Tensor }: SileroRuntime): Classify {
  const sampleRate = new Tensor('int64', BigInt64Array.of(SAMPLE_RATE_HZ), []);
  const silent = new Tensor('float32', new Float32Array(STATE_SIZE), STATE_SHAPE);
  return async (input, state) => {
    const feeds = { input: new Tensor('float32', input, [1, INPUT_SAMPLES]), state: state ?? silent, sr: sampleRate };
    const { output, stateN } = await session.run(feeds);
    const probability: unknown = output?.data[0];
    if (typeof probability !== 'number' || stateN === undefined) {
      throw new UndertoneError('INTERNAL', 'Silero VAD gave no probability');
    }
    return { probability, state: stateN };
  };
}

type StreamOptions = {
  readonly isGated: boolean;
  readonly isDetectorClosed: () => boolean;
  /** Told of work under way; the promise never rejects. */
  readonly onRun: (run: Promise<unknown>) => void;
};

function openStream(classify: Classify, { isGated, isDetectorClosed, onRun }: StreamOptions): VoiceActivityStream {
  const frames = createSileroFrames();
  const gate = createSilenceGate();
  let state: State | null = null;
  let isClosed = false;
  let waitingFrames = 0;
  let previous: Promise<unknown> = Promise.resolve();

  const probabilityOf = async (input: Float32Array): Promise<number> => {
    if (gate.isClosed(input) && isGated) return 0;
    const step = await classify(input, state);
    state = step.state;
    return step.probability;
  };
  const run = async (inputs: readonly Float32Array[]): Promise<Float32Array> => {
    await previous;
    try {
      const probabilities = new Float32Array(inputs.length);
      for (const [index, input] of inputs.entries()) probabilities[index] = await probabilityOf(input);
      return probabilities;
    } finally {
      waitingFrames -= inputs.length;
    }
  };
  return {
    frameMs: FRAME_MS,
    process: (samples) => {
      if (isClosed || isDetectorClosed()) throw new TypeError('process: the stream is closed');
      const comingFrames = Math.ceil(samples.length / FRAME_SAMPLES);
      if (waitingFrames + comingFrames > MAX_WAITING_FRAMES) {
        const rule = `at most ${MAX_WAITING_FRAMES} frames may wait, not ${waitingFrames + comingFrames}`;
        throw new RangeError(`process: ${rule}; await the result before giving more`);
      }
      const inputs = frames.push(samples);
      waitingFrames += inputs.length;
      const result = run(inputs);
      previous = result.catch(() => undefined);
      onRun(previous);
      return result;
    },
    close: () => {
      isClosed = true;
    },
  };
}
