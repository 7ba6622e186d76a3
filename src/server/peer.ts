import type { RawData, WebSocket } from 'ws';
import { ERROR_CODES, type ErrorCode, isUndertoneError } from '../errors.ts';
import type { ConsumerServerMessage, ErrorMessage, ProducerServerMessage } from '../protocol/live.ts';

/** The other side of a socket, and what can be told to it. */
export type Peer = {
  send(message: ProducerServerMessage | ConsumerServerMessage): void;
  /** Sends a line as it is. */
  line(text: string): void;
  /** Says what was refused; the connection goes on, unless that was once too often. */
  refuse(code: ErrorCode, message: string, streamId?: string): void;
  /** Says why and closes with the code of the table of errors. */
  fail(code: ErrorCode, message: string): void;
  /** The same for whatever was thrown. */
  failWith(error: unknown): void;
  /** Closes as agreed, 1000. */
  close(): void;
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
};

/** A connection that is asked now and then whether its time is over. */
export type Connection = { tick(nowMs: number): void; goAway(leftMs: number): void };

/** What is heard of a peer, and how much of it. */
export type Hearing = {
  readonly now: () => number;
  readonly limits: { readonly helloTimeoutMs: number; readonly heartbeatMs: number };
  /** Longest message of a kind, in bytes. */
  readonly maxBytes: (isBinary: boolean) => number;
  /** Takes a message into account; false when too much comes in too short a time. */
  readonly admit: (bytes: number) => boolean;
  readonly hear: (bytes: Buffer, isBinary: boolean) => void;
};

/** Watches over a peer that is heard: closes it when it does not say hello, or nothing any more. */
export type Watch = { check(nowMs: number, state: { readonly hasEntered: boolean; readonly isPaused: boolean }): void };

/** A closing handshake that takes longer is cut. */
const CLOSE_MS = 2_000;
/** Peers that are refused so often are closed. */
const MAX_REFUSED = 100;
/** Heartbeats that may stay away. */
const MISSED_HEARTBEATS = 3;

/** Returns the peer of a socket. Nothing that is sent to a socket that is closing does anything. */
export function createPeer(socket: WebSocket, onRefused: () => void = () => undefined): Peer {
  let refused = 0;
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const line = (text: string): void => {
    if (isOpen()) socket.send(text);
  };
  const tell = (error: Omit<ErrorMessage, 'type' | 'retryable'>): void =>
    line(JSON.stringify({ type: 'error', retryable: ERROR_CODES[error.code].retryable, ...error }));
  const shut = (code: number, reason: string): void => {
    if (!isOpen()) return;
    socket.close(code, reason);
    cutLater(socket);
  };
  const fail = (code: ErrorCode, message: string): void => {
    tell({ code, message, isFatal: true });
    shut(ERROR_CODES[code].closeCode, code);
  };
  return {
    send: (message) => line(JSON.stringify(message)),
    line,
    refuse: (code, message, streamId) => {
      onRefused();
      if (++refused > MAX_REFUSED) fail(code, message);
      else tell({ code, message, isFatal: false, ...(streamId !== undefined && { streamId }) });
    },
    fail,
    failWith: (error) => {
      const { code, message } = tellable(error);
      fail(code, message);
    },
    close: () => shut(1000, ''),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    get isOpen() {
      return isOpen();
    },
  };
}

/** Hears a peer from now on: passes on whole messages that are neither too big nor too many, in order. */
export function hearPeer(socket: WebSocket, peer: Peer, { now, limits, maxBytes, admit, hear }: Hearing): Watch {
  const openedAtMs = now();
  const isTooMuch = (bytes: number): boolean => {
    const isAdmitted = admit(bytes);
    if (!isAdmitted) peer.fail('RATE_LIMITED', 'too many messages or bytes a second');
    return !isAdmitted;
  };
  let heardAtMs = openedAtMs;
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = toBuffer(data);
    heardAtMs = now();
    const most = maxBytes(isBinary);
    if (bytes.length > most) peer.fail('MESSAGE_TOO_BIG', `at most ${most} bytes`);
    else if (peer.isOpen && !isTooMuch(bytes.length)) hear(bytes, isBinary);
  });
  // ws answers them by itself.
  socket.on('ping', (data) => isTooMuch(data.length));
  // What breaks the rules of WebSockets, ws has closed already with the code of RFC 6455; it reads and drops what follows.
  socket.on('error', () => cutLater(socket));
  return {
    check: (nowMs, { hasEntered, isPaused }) => {
      if (!hasEntered && nowMs - openedAtMs >= limits.helloTimeoutMs)
        peer.fail('HELLO_TIMEOUT', 'no hello came in time');
      else if (!isPaused && nowMs - heardAtMs >= MISSED_HEARTBEATS * limits.heartbeatMs)
        peer.fail('IDLE_TIMEOUT', 'nothing came, not even a ping');
    },
  };
}

/** The code and message to tell a peer of an error; what is not ours to tell is `INTERNAL`. */
export function tellable(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  if (isUndertoneError(error)) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: 'a defect of the server; the session goes on if it can' };
}

function cutLater(socket: WebSocket): void {
  setTimeout(() => socket.terminate(), CLOSE_MS).unref();
}

/** A copy, because what is kept of it must not keep the much larger piece of memory that the socket read into. */
function toBuffer(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
}
