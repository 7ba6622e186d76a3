import type {
  Recognizer,
  RecognizerCapabilities,
  RecognizerStream,
  RecognizerStreamOptions,
} from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { findModel } from './findModel.ts';
import type { SherpaReply } from './messages.ts';
import { startThread, type SherpaThread } from './startThread.ts';
import { toEvent } from './toEvent.ts';

/** How sherpa-onnx is used. `languages`: what the model knows, as BCP 47 tags; English unless told. */
export type SherpaOptions = {
  readonly modelFolder: string;
  readonly languages?: readonly string[];
  /** Threads of the model's mathematics, 1 to 64; 1 by default. All streams share one thread beside. */
  readonly threads?: number;
};

/** How much sound of a stream may wait for the model: 30 s. */
export const MAX_WAITING_SAMPLES = 480_000;

type Live = { readonly stream: RecognizerStream; readonly hear: (reply: SherpaReply) => void };

/**
 * Returns a recognizer that runs a streaming transducer of sherpa-onnx in a thread of its own. Requests are answered in order of
 * arrival, so streams share the thread fairly. `close` ends the thread.
 * @throws RangeError for `threads`; UndertoneError RECOGNIZER_MISSING when the package sherpa-onnx-node or a file of the model is not there.
 */
export async function createSherpaRecognizer(options: SherpaOptions): Promise<Recognizer> {
  const { modelFolder, languages = ['en'], threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new RangeError(`threads must be an integer from 1 to 64, not ${threads}`);
  }
  const thread = await startThread(await findModel(modelFolder, threads));
  const live = new Map<number, Live>();
  let lastId = 0;
  let stopping: Promise<void> | null = null;
  let isDead = false;
  thread.listen((reply) => {
    if (reply.type === 'ready') return;
    isDead ||= reply.id === null;
    for (const [id, { hear }] of live) if (reply.id === null || reply.id === id) hear(reply);
  });
  return {
    name: 'sherpa',
    capabilities: toCapabilities(languages),
    open: async (streamOptions) => {
      if (stopping !== null) throw new TypeError('open: the recognizer is closed');
      if (isDead) throw new UndertoneError('RECOGNIZER_FAILED', 'the thread of sherpa ended');
      const id = (lastId += 1);
      const opened = openStream({ thread, id, streamOptions, onClosed: () => void live.delete(id) });
      live.set(id, opened);
      return opened.stream;
    },
    close: () => {
      stopping ??= thread.stop();
      for (const { stream } of live.values()) stream.close();
      return stopping;
    },
  };
}

type Parts = {
  readonly thread: SherpaThread;
  readonly id: number;
  readonly streamOptions: RecognizerStreamOptions;
  readonly onClosed: () => void;
};

function openStream({ thread, id, streamOptions, onClosed }: Parts): Live {
  const { onEvent, onError } = streamOptions;
  let writes: { readonly size: number; readonly resolve: () => void }[] = [];
  let resolveEnd = (): void => undefined;
  let waitingSamples = 0;
  let givenUntilMs = 0;
  let isEnded = false;
  let isOver = false;
  const settle = (): void => {
    isOver = true;
    for (const { resolve } of writes) resolve();
    writes = [];
    resolveEnd();
  };
  thread.post({ type: 'open', id });
  const hear = (reply: SherpaReply): void => {
    if (isOver) return;
    if (reply.type === 'result') {
      const event = toEvent(reply.result, givenUntilMs);
      if (event?.type === 'final') givenUntilMs = event.endMs;
      if (event !== null) onEvent(event);
    } else if (reply.type === 'written') {
      const write = writes.shift();
      waitingSamples -= write?.size ?? 0;
      write?.resolve();
    } else if (reply.type === 'ended') settle();
    else if (reply.type === 'failed') {
      settle();
      onError(new UndertoneError('RECOGNIZER_FAILED', reply.reason));
    }
  };
  const stream: RecognizerStream = {
    write: (samples) => {
      if (isEnded) throw new TypeError('write: the stream has ended or is closed');
      if (isOver || samples.length === 0) return Promise.resolve();
      if (waitingSamples + samples.length > MAX_WAITING_SAMPLES) {
        throw new RangeError(
          `write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the last write before the next`,
        );
      }
      waitingSamples += samples.length;
      const copy = samples.map((sample) => (Number.isNaN(sample) ? 0 : Math.max(-1, Math.min(1, sample))));
      thread.post({ type: 'write', id, samples: copy });
      return new Promise((resolve) => writes.push({ size: samples.length, resolve }));
    },
    finalize: () => {
      if (!isEnded && !isOver) thread.post({ type: 'finalize', id });
    },
    end: () => {
      if (isOver) return Promise.resolve();
      const ended = new Promise<void>((resolve) => {
        const before = resolveEnd;
        resolveEnd = () => {
          before();
          resolve();
        };
      });
      if (!isEnded) thread.post({ type: 'end', id });
      isEnded = true;
      return ended;
    },
    close: () => {
      isEnded = true;
      onClosed();
      if (isOver) return;
      settle();
      thread.post({ type: 'close', id });
    },
  };
  return { stream, hear };
}

function toCapabilities(languages: readonly string[]): RecognizerCapabilities {
  return {
    interim: true,
    wordTimes: true,
    diarization: false,
    languages,
    sampleRatesHz: [16_000, 24_000, 32_000, 44_100, 48_000],
    isLocal: true,
    quality: 'production',
  };
}
