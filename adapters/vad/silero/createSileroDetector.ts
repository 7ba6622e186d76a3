import type { VoiceActivityDetector, VoiceActivityStream } from '../../../src/adapter.ts';
import { type Classify, createBatcher, type SileroState } from './createBatcher.ts';
import { createSileroFrames, FRAME_SAMPLES } from './sileroFrames.ts';
import { loadSileroRuntime, type SileroRuntimeName } from './sileroRuntime.ts';
import { createSilenceGate } from './silenceGate.ts';

/**
 * `runtimes`: which are tried, in order (both by default). `isGated`: whether long silence skips the model (true by
 * default; false is for comparing). `gatherMs`: how long a frame may wait for those of other streams, to be looked at with
 * them (0 by default: only for what comes at the same time). It is worth it from ten streams on.
 */
export type SileroOptions = {
  readonly runtimes?: readonly SileroRuntimeName[];
  readonly isGated?: boolean;
  readonly gatherMs?: number;
};

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

const FRAME_MS = FRAME_SAMPLES / 16;

/**
 * Returns a detector that runs Silero VAD v6 on 16 kHz mono sound in frames of 32 ms. All streams share one session, which
 * looks at frames of many streams at once; each has a recurrent state of its own, so probabilities depend on the stream's
 * samples alone: not on how they are cut into blocks, nor on other streams. After a second below -70 dB of full scale the probability is 0 and the model
 * is not asked, its state kept as silence left it. Calls to one stream are answered in order, later ones waiting.
 * `process` throws TypeError after `close`. @throws UndertoneError VAD_MISSING
 */
export async function createSileroDetector({
  runtimes,
  isGated = true,
  gatherMs = 0,
}: SileroOptions = {}): Promise<SileroDetector> {
  const runtime = await loadSileroRuntime(runtimes);
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  const classify = createBatcher(runtime, gatherMs);
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

type StreamOptions = {
  readonly isGated: boolean;
  readonly isDetectorClosed: () => boolean;
  /** Told of work under way; the promise never rejects. */
  readonly onRun: (run: Promise<unknown>) => void;
};

function openStream(classify: Classify, { isGated, isDetectorClosed, onRun }: StreamOptions): VoiceActivityStream {
  const frames = createSileroFrames();
  const gate = createSilenceGate();
  let state: SileroState | null = null;
  let isClosed = false;
  let waitingFrames = 0;
  let previous: Promise<unknown> = Promise.resolve();

  const run = async (inputs: readonly Float32Array[]): Promise<Float32Array> => {
    await previous;
    try {
      const probabilities = new Float32Array(inputs.length);
      for (const [index, input] of inputs.entries()) {
        if (gate.isClosed(input) && isGated) continue;
        const step = await classify(input, state);
        state = step.state;
        probabilities[index] = step.probability;
      }
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
