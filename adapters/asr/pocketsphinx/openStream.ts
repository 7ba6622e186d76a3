import type { RecognizerStream, RecognizerStreamOptions } from '../../../src/adapter.ts';
import { isUndertoneError, UndertoneError } from '../../../src/errors.ts';
import type { Decoder } from './library.ts';
import { toFinal } from './toFinal.ts';
import type { Turnstile } from './turnstile.ts';

/** The most sound that may wait in one stream: 60 s. */
export const MAX_WAITING_SAMPLES = 960_000;
/** An utterance that nobody ends is ended after 30 s, so that its search stays small. */
const MAX_UTTERANCE_SAMPLES = 480_000;
const SAMPLES_PER_MS = 16;

/** A stream, whether it was closed, and when its decoder has been freed. */
export type PocketsphinxStream = RecognizerStream & { readonly isClosed: () => boolean; readonly freed: Promise<void> };

/** Opens a stream on a decoder, which is freed when the stream is closed or fails. */
export function openStream(
  decoder: Decoder,
  turnstile: Turnstile,
  { onEvent, onError }: Pick<RecognizerStreamOptions, 'onEvent' | 'onError'>,
): PocketsphinxStream {
  const speech = createUtterances(decoder, (event) => {
    if (!isClosed) onEvent(event);
  });
  let isEnded = false;
  let isClosed = false;
  let hasFailed = false;
  let waitingSamples = 0;
  let last: Promise<void> = Promise.resolve();
  let markFreed: () => void = () => undefined;
  const freed = new Promise<void>((resolve) => (markFreed = resolve));

  const enqueue = (work: () => Promise<void>): Promise<void> => {
    last = last.then(async () => {
      if (isClosed || hasFailed) return;
      await turnstile(work).catch((error: unknown) => {
        hasFailed = true;
        if (!isClosed) onError(toUndertoneError(error));
      });
    });
    return last;
  };
  const requireOpen = (call: string): void => {
    if (isClosed || isEnded) throw new TypeError(`${call}: the stream is closed`);
  };
  return {
    isClosed: () => isClosed,
    freed,
    write: (samples) => {
      requireOpen('write');
      if (waitingSamples + samples.length > MAX_WAITING_SAMPLES)
        throw new RangeError(`write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the result first`);
      const block = toInt16(samples);
      waitingSamples += block.length;
      return enqueue(() => speech.hear(block)).finally(() => (waitingSamples -= block.length));
    },
    finalize: () => {
      requireOpen('finalize');
      void enqueue(speech.finish);
    },
    end: () => {
      if (!isEnded && !isClosed) void enqueue(speech.finish);
      isEnded = true;
      return last;
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      void last.then(() => decoder.free()).then(markFreed, markFreed);
    },
  };
}

type Utterances = { readonly hear: (block: Int16Array) => Promise<void>; readonly finish: () => Promise<void> };

/** Follows the utterances of a stream: each begins with the first sound after the one before was ended. */
function createUtterances(decoder: Decoder, tell: RecognizerStreamOptions['onEvent']): Utterances {
  let heardSamples = 0;
  let startSamples: number | undefined;
  let told = '';
  const finish = async (): Promise<void> => {
    if (startSamples === undefined) return;
    const startMs = startSamples / SAMPLES_PER_MS;
    startSamples = undefined;
    told = '';
    const final = toFinal(await decoder.finish(), startMs, heardSamples / SAMPLES_PER_MS);
    if (final) tell(final);
  };
  const tellInterim = (startMs: number): void => {
    const text = decoder.hypothesis();
    if (text === '' || text === told) return;
    told = text;
    tell({ type: 'interim', startMs, endMs: heardSamples / SAMPLES_PER_MS, text });
  };
  const hear = async (block: Int16Array): Promise<void> => {
    if (block.length === 0) return;
    if (startSamples === undefined) await decoder.start();
    startSamples ??= heardSamples;
    await decoder.process(block);
    heardSamples += block.length;
    tellInterim(startSamples / SAMPLES_PER_MS);
    if (heardSamples - startSamples >= MAX_UTTERANCE_SAMPLES) await finish();
  };
  return { hear, finish };
}

/** 16-bit samples; what is beyond full scale is clipped, what is no number is 0. */
function toInt16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) =>
    Number.isNaN(sample) ? 0 : Math.round(Math.max(-1, Math.min(1, sample)) * 32_767),
  );
}

function toUndertoneError(error: unknown): UndertoneError {
  if (isUndertoneError(error)) return error;
  return new UndertoneError('RECOGNIZER_FAILED', 'pocketsphinx failed', { cause: error });
}
