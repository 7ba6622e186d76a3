import type { ConnectDeepgram, DeepgramQuery, DeepgramSocket } from './connectDeepgram.ts';
import { GIVEN_UP, isRetryable, type SocketFailure } from './socketFailure.ts';
import type { Timers } from './timers.ts';

/** Deepgram closes a connection that gets neither sound nor KeepAlive for about 10 s. */
export const KEEP_ALIVE_MS = 4_000;
/** How long sound may go out and nothing come back. Deepgram answers silence, too, every few seconds. */
export const SILENT_DEATH_MS = 15_000;
/** Connections in a row that bring nothing final, before the stream has failed. */
export const MAX_ATTEMPTS = 6;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;
const SHORTEST_DELAY_MS = 50;
const TICK_MS = 1_000;

/** What connecting, and connecting again, needs. `random` in [0, 1) spreads the delays. */
export type ConnectionParts = {
  readonly connect: ConnectDeepgram;
  readonly query: DeepgramQuery;
  readonly timers: Timers;
  readonly random: () => number;
  readonly onOpen: () => void;
  readonly onMessage: (payload: unknown) => void;
  /** A connection ended and another will be tried: what was not final has to be sent again. */
  readonly onLost: (failure: SocketFailure) => void;
  /** Looks after the flow once a second, connected or not. */
  readonly onTick: () => void;
  /** No connection will be tried any more. */
  readonly onFailed: (failure: SocketFailure) => void;
};

/** A connection that is made again when it breaks: after 500 ms, 1 s … 8 s, shortened by chance, at most 6 times. */
export type Connection = {
  readonly isOpen: () => boolean;
  readonly sendSound: (bytes: Uint8Array) => void;
  readonly sendText: (type: 'Finalize' | 'CloseStream') => void;
  readonly waitingBytes: () => number;
  /** Something final came: the count of attempts begins again. */
  readonly succeed: () => void;
  /** Gives this connection up as if it had broken. */
  readonly drop: (reason: string) => void;
  readonly close: () => void;
};

/** Starts connecting. */
export function createConnection(parts: ConnectionParts): Connection {
  const { connect, query, timers, random } = parts;
  let socket: DeepgramSocket | null = null;
  let isOpen = false;
  let isClosed = false;
  let attempts = 0;
  let sentAtMs = 0;
  let unansweredSinceMs: number | null = null;
  let cancelTick = (): void => undefined;
  let cancelRetry = (): void => undefined;

  const close = (): void => {
    isClosed = true;
    isOpen = false;
    cancelTick();
    cancelRetry();
    socket?.close();
    socket = null;
  };
  const lose = (failure: SocketFailure): void => {
    if (isClosed) return;
    isOpen = false;
    socket?.close();
    socket = null;
    if (!isRetryable(failure) || attempts >= MAX_ATTEMPTS) {
      close();
      parts.onFailed(failure);
      return;
    }
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1)) * random();
    cancelRetry = timers.after(Math.max(SHORTEST_DELAY_MS, delayMs), open);
    parts.onLost(failure);
  };
  const open = (): void => {
    attempts += 1;
    unansweredSinceMs = null;
    socket = connect(query, {
      onOpen: () => {
        if (isClosed) return;
        isOpen = true;
        sentAtMs = timers.now();
        parts.onOpen();
      },
      onMessage: (payload) => {
        unansweredSinceMs = null;
        parts.onMessage(payload);
      },
      onClosed: lose,
    });
  };
  const send = (action: (to: DeepgramSocket) => void): void => {
    if (socket === null || !isOpen) return;
    sentAtMs = timers.now();
    try {
      action(socket);
    } catch {
      lose({ closeCode: GIVEN_UP, reason: 'the socket closed while sending' });
    }
  };
  const tick = (): void => {
    cancelTick = timers.after(TICK_MS, tick);
    const nowMs = timers.now();
    if (unansweredSinceMs !== null && nowMs - unansweredSinceMs >= SILENT_DEATH_MS) {
      lose({ closeCode: GIVEN_UP, reason: `sound went out for ${SILENT_DEATH_MS} ms and nothing came back` });
    } else if (nowMs - sentAtMs >= KEEP_ALIVE_MS)
      send((to) => {
        to.sendText('KeepAlive');
      });
    parts.onTick();
  };
  cancelTick = timers.after(TICK_MS, tick);
  open();
  return {
    isOpen: () => isOpen,
    sendSound: (bytes) => {
      unansweredSinceMs ??= timers.now();
      send((to) => {
        to.sendSound(bytes);
      });
    },
    sendText: (type) => {
      send((to) => {
        to.sendText(type);
      });
    },
    waitingBytes: () => socket?.waitingBytes() ?? 0,
    succeed: () => {
      attempts = 1;
    },
    drop: (reason) => {
      lose({ closeCode: GIVEN_UP, reason });
    },
    close,
  };
}
