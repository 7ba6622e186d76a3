import type { RecognizerStream, RecognizerStreamOptions } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { ConnectDeepgram, DeepgramQuery } from './connectDeepgram.ts';
import { createConnection } from './createConnection.ts';
import { decodeDeepgram, flushPending, INITIAL_STATE, nextConnection, type Decoded } from './decodeDeepgram.ts';
import { createSoundBuffer } from './soundBuffer.ts';
import { toError } from './socketFailure.ts';
import type { Timers } from './timers.ts';

/** What a stream is made of. */
export type StreamParts = Pick<RecognizerStreamOptions, 'onEvent' | 'onError'> & {
  readonly connect: ConnectDeepgram;
  readonly query: DeepgramQuery;
  readonly timers: Timers;
  readonly random: () => number;
};

/** How much final sound is sent again after a reconnect so that speakers are recognized by it. */
export const OVERLAP_MS = 10_000;
/** How long `end` waits for the last results. */
export const END_TIMEOUT_MS = 15_000;
/** `write` waits while more than this is not sent. */
const COMFORTABLE_MS = 5_000;
/** No more is handed to a socket that holds this much. */
const MAX_SOCKET_BYTES = 256 * 1_024;
const POLL_MS = 20;
/** The server closed because it was done. */
const NORMAL_CLOSURES: ReadonlySet<number> = new Set([1000, 1005]);

/**
 * Opens a stream: resolves once connected, rejects when the first connection fails. When a later one breaks, sound that is
 * not final yet is sent again in the next, so no word is lost and none comes twice; the stream fails when too much of
 * it is no longer kept, when Deepgram refuses, or after too many attempts.
 */
export function openDeepgramStream(parts: StreamParts): Promise<RecognizerStream> {
  return new Promise((resolve, reject) => {
    const stream: RecognizerStream = createStream(parts, (error) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

function createStream(parts: StreamParts, onFirst: (error: UndertoneError | null) => void): RecognizerStream {
  const { timers, query } = parts;
  const overlapMs = query.diarize ? OVERLAP_MS : 0;
  const sound = createSoundBuffer();
  let state = INITIAL_STATE;
  let hasOpened = false;
  let isOver = false;
  let endedAtMs: number | null = null;
  let isCloseSent = false;
  let isFinalizeDue = false;
  let cancelPoll = (): void => undefined;
  let waiters: (() => void)[] = [];

  const release = (): void => {
    const released = waiters;
    waiters = [];
    for (const resume of released) resume();
  };
  const stop = (): void => {
    isOver = true;
    cancelPoll();
    connection.close();
    release();
  };
  const fail = (error: UndertoneError): void => {
    if (isOver) return;
    if (hasOpened) deliver(flush());
    stop();
    if (hasOpened) parts.onError(error);
    else onFirst(error);
  };
  const flush = (): readonly Decoded[] => {
    const [next, events] = flushPending(state);
    state = next;
    return events;
  };
  const finish = (): void => {
    deliver(flush());
    stop();
  };
  const deliver = (events: readonly Decoded[]): void => {
    for (const event of events) {
      if (isOver) return;
      if (event.type === 'malformed') connection.drop(`a malformed message: ${event.rule}`);
      else if (event.type === 'metadata') {
        if (isCloseSent) finish();
      } else parts.onEvent(event);
    }
  };
  const receive = (payload: unknown): void => {
    const before = state.finalUntilMs;
    const [next, events] = decodeDeepgram(state, payload);
    state = next;
    if (next.finalUntilMs > before) connection.succeed();
    sound.forget(next.finalUntilMs - overlapMs);
    deliver(events);
  };
  const pump = (): void => {
    cancelPoll();
    while (!isOver && connection.isOpen() && connection.waitingBytes() < MAX_SOCKET_BYTES) {
      const piece = sound.take();
      if (piece === null) break;
      connection.sendSound(piece);
    }
    if (isOver) return;
    if (sound.waitingMs() <= COMFORTABLE_MS && endedAtMs === null) release();
    if (!connection.isOpen()) return;
    if (sound.waitingMs() > 0) cancelPoll = timers.after(POLL_MS, pump);
    else sayLast();
  };
  const sayLast = (): void => {
    if (isFinalizeDue) connection.sendText('Finalize');
    isFinalizeDue = false;
    if (endedAtMs === null || isCloseSent) return;
    isCloseSent = true;
    connection.sendText('CloseStream');
  };
  const beginAgain = (): void => {
    isCloseSent = false;
    const untilMs = state.finalUntilMs;
    if (sound.keptFromMs() > untilMs) {
      fail(
        new UndertoneError('RECOGNIZER_FAILED', 'Deepgram: the connection broke, and sound that it owes is not kept'),
      );
      return;
    }
    const [next, events] = nextConnection(state, sound.rewind(Math.max(0, untilMs - overlapMs)));
    state = next;
    deliver(events);
  };
  const connection = createConnection({
    connect: parts.connect,
    query,
    timers,
    random: parts.random,
    onOpen: () => {
      if (!hasOpened) {
        hasOpened = true;
        onFirst(null);
      }
      pump();
    },
    onMessage: receive,
    onLost: ({ closeCode }) => {
      if (isCloseSent && NORMAL_CLOSURES.has(closeCode)) finish();
      else if (!hasOpened) fail(new UndertoneError('RECOGNIZER_FAILED', 'Deepgram cannot be reached'));
      else beginAgain();
    },
    onTick: () => {
      if (endedAtMs !== null && timers.now() - endedAtMs > END_TIMEOUT_MS) {
        fail(new UndertoneError('RECOGNIZER_FAILED', `Deepgram gave no last result within ${END_TIMEOUT_MS} ms`));
      } else pump();
    },
    onFailed: (failure) => {
      fail(toError(failure));
    },
  });
  const untilReleased = (): Promise<void> => new Promise((resolve) => waiters.push(resolve));
  let isEnded = false;
  return {
    write: (samples) => {
      if (isEnded) throw new TypeError('write: the stream has ended or is closed');
      if (isOver) return Promise.resolve();
      sound.push(samples);
      pump();
      return sound.waitingMs() <= COMFORTABLE_MS ? Promise.resolve() : untilReleased();
    },
    finalize: () => {
      if (isOver || isEnded) return;
      isFinalizeDue = true;
      pump();
    },
    end: () => {
      isEnded = true;
      if (isOver) return Promise.resolve();
      endedAtMs ??= timers.now();
      const ended = untilReleased();
      pump();
      return ended;
    },
    close: () => {
      isEnded = true;
      if (!isOver) stop();
    },
  };
}
