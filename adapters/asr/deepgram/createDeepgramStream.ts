import type { RecognizerStream, RecognizerStreamOptions } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { ConnectDeepgram, DeepgramQuery } from './connectDeepgram.ts';
import { type Connection, createConnection } from './createConnection.ts';
import { decodeDeepgram, flushPending, INITIAL_STATE, nextConnection, type Decoded } from './decodeDeepgram.ts';
import { Outgoing } from './outgoing.ts';
import { type SocketFailure, toError } from './socketFailure.ts';
import type { Timers } from './timers.ts';

/** What a stream is made of. */
export type StreamParts = Pick<RecognizerStreamOptions, 'onEvent' | 'onError'> & {
  readonly connect: ConnectDeepgram;
  readonly query: DeepgramQuery;
  readonly timers: Timers;
  readonly random: () => number;
  /** The stream was closed by whoever opened it. */
  readonly onClosed: () => void;
};

/** How much final sound is sent again after a reconnect so that speakers are recognized by it. */
export const OVERLAP_MS = 10_000;
/** How long `end` waits for the last results. */
export const END_TIMEOUT_MS = 15_000;
/** The server closed because it was done. */
const NORMAL_CLOSURES: ReadonlySet<number> = new Set([1000, 1005]);

/**
 * Opens a stream: resolves once connected, rejects when the first connection fails. When a later one breaks, sound that is
 * not final yet is sent again in the next, so no word is lost and none comes twice; the stream fails when too much of
 * it is no longer kept, when Deepgram refuses, or after too many attempts.
 */
export function openDeepgramStream(parts: StreamParts): Promise<RecognizerStream> {
  return new Promise((resolve, reject) => {
    const stream: RecognizerStream = new DeepgramStream(parts, (error) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

/** Decodes what comes, and begins again where a connection broke. Owns the connection. */
class DeepgramStream implements RecognizerStream {
  readonly #parts: StreamParts;
  readonly #onFirst: (error: UndertoneError | null) => void;
  readonly #overlapMs: number;
  readonly #connection: Connection;
  readonly #outgoing: Outgoing;
  #state = INITIAL_STATE;
  #hasOpened = false;
  /** Nothing is given any more by whoever writes. */
  #isEnded = false;
  /** Nothing is said any more to whoever listens. */
  #isOver = false;

  /** `onFirst`: told once of the first connection, `null` when it is there, else why it failed. */
  constructor(parts: StreamParts, onFirst: (error: UndertoneError | null) => void) {
    const { connect, query, timers, random } = parts;
    this.#parts = parts;
    this.#onFirst = onFirst;
    this.#overlapMs = query.diarize ? OVERLAP_MS : 0;
    this.#outgoing = new Outgoing(() => this.#connection, timers);
    this.#connection = createConnection({
      connect,
      query,
      timers,
      random,
      onOpen: () => this.#begin(),
      onMessage: (payload) => this.#receive(payload),
      onLost: (failure) => this.#lose(failure),
      onTick: () => this.#tick(),
      onFailed: (failure) => this.#fail(toError(failure)),
    });
  }

  write(samples: Float32Array): Promise<void> {
    if (this.#isEnded) throw new TypeError('write: the stream has ended or is closed');
    return this.#isOver ? Promise.resolve() : this.#outgoing.write(samples);
  }

  finalize(): void {
    if (!this.#isOver && !this.#isEnded) this.#outgoing.finalize();
  }

  end(): Promise<void> {
    this.#isEnded = true;
    return this.#isOver ? Promise.resolve() : this.#outgoing.end();
  }

  close(): void {
    this.#isEnded = true;
    if (!this.#isOver) this.#stop();
    this.#parts.onClosed();
  }

  #begin(): void {
    if (!this.#hasOpened) {
      this.#hasOpened = true;
      this.#onFirst(null);
    }
    this.#outgoing.pump();
  }

  #receive(payload: unknown): void {
    const before = this.#state.finalUntilMs;
    const [next, events] = decodeDeepgram(this.#state, payload);
    this.#state = next;
    if (next.finalUntilMs > before) this.#connection.succeed();
    this.#outgoing.forget(next.finalUntilMs - this.#overlapMs);
    this.#deliver(events);
  }

  #deliver(events: readonly Decoded[]): void {
    for (const event of events) {
      if (this.#isOver) return;
      if (event.type === 'malformed') this.#connection.drop(`a malformed message: ${event.rule}`);
      else if (event.type === 'metadata') {
        if (this.#outgoing.isCloseSent) this.#finish();
      } else this.#parts.onEvent(event);
    }
  }

  #lose({ closeCode }: SocketFailure): void {
    if (this.#outgoing.isCloseSent && NORMAL_CLOSURES.has(closeCode)) this.#finish();
    else if (!this.#hasOpened) this.#fail(failed('Deepgram cannot be reached'));
    else this.#beginAgain();
  }

  #beginAgain(): void {
    const untilMs = this.#state.finalUntilMs;
    const fromMs = this.#outgoing.beginAgain(untilMs - this.#overlapMs, untilMs);
    if (fromMs === null) {
      this.#fail(failed('Deepgram: the connection broke, and sound that it owes is not kept'));
      return;
    }
    const [next, events] = nextConnection(this.#state, fromMs);
    this.#state = next;
    this.#deliver(events);
  }

  #tick(): void {
    if (this.#outgoing.endedMs() > END_TIMEOUT_MS)
      this.#fail(failed(`Deepgram gave no last result within ${END_TIMEOUT_MS} ms`));
    else this.#outgoing.pump();
  }

  #finish(): void {
    this.#flush();
    this.#stop();
  }

  #fail(error: UndertoneError): void {
    if (this.#isOver) return;
    if (this.#hasOpened) this.#flush();
    this.#stop();
    if (this.#hasOpened) this.#parts.onError(error);
    else this.#onFirst(error);
  }

  /** Gives out the words that wait for the end of their utterance. */
  #flush(): void {
    const [next, events] = flushPending(this.#state);
    this.#state = next;
    this.#deliver(events);
  }

  #stop(): void {
    this.#isOver = true;
    this.#connection.close();
    this.#outgoing.stop();
  }
}

function failed(message: string): UndertoneError {
  return new UndertoneError('RECOGNIZER_FAILED', message);
}
