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
export type PocketsphinxStream = RecognizerStream & { readonly isClosed: boolean; readonly freed: Promise<void> };

/** Whom a stream tells what it heard, and that it failed. */
export type Told = Pick<RecognizerStreamOptions, 'onEvent' | 'onError'>;

/** Opens a stream on a decoder, which is freed when the stream is closed or fails. */
export function openStream(decoder: Decoder, turnstile: Turnstile, told: Told): PocketsphinxStream {
  return new DecoderStream(decoder, turnstile, told);
}

/** Does one thing after the other, each when the turnstile lets it. Owns the decoder. */
class DecoderStream implements PocketsphinxStream {
  readonly freed: Promise<void>;
  readonly #decoder: Decoder;
  readonly #turnstile: Turnstile;
  readonly #told: Told;
  readonly #speech: Utterances;
  #isEnded = false;
  #isClosed = false;
  #hasFailed = false;
  #waitingSamples = 0;
  #last: Promise<void> = Promise.resolve();
  #markFreed: () => void = () => undefined;

  constructor(decoder: Decoder, turnstile: Turnstile, told: Told) {
    this.#decoder = decoder;
    this.#turnstile = turnstile;
    this.#told = told;
    this.#speech = createUtterances(decoder, (event) => {
      if (!this.#isClosed) told.onEvent(event);
    });
    this.freed = new Promise<void>((resolve) => (this.#markFreed = resolve));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(samples: Float32Array): Promise<void> {
    this.#requireOpen('write');
    if (this.#waitingSamples + samples.length > MAX_WAITING_SAMPLES)
      throw new RangeError(`write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the result first`);
    const block = toInt16(samples);
    this.#waitingSamples += block.length;
    return this.#enqueue(() => this.#speech.hear(block)).finally(() => (this.#waitingSamples -= block.length));
  }

  finalize(): void {
    this.#requireOpen('finalize');
    void this.#enqueue(this.#speech.finish);
  }

  end(): Promise<void> {
    if (!this.#isEnded && !this.#isClosed) void this.#enqueue(this.#speech.finish);
    this.#isEnded = true;
    return this.#last;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void this.#last.then(() => this.#decoder.free()).then(this.#markFreed, this.#markFreed);
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed || this.#hasFailed) return;
      await this.#turnstile(work).catch((error: unknown) => this.#fail(error));
    });
    return this.#last;
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    if (!this.#isClosed) this.#told.onError(toUndertoneError(error));
  }

  #requireOpen(call: string): void {
    if (this.#isClosed || this.#isEnded) throw new TypeError(`${call}: the stream is closed`);
  }
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
