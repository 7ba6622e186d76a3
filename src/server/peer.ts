import type { WebSocket } from 'ws';
import { ERROR_CODES, type ErrorCode, isUndertoneError } from '../errors.ts';
import type { ConsumerServerMessage, ErrorMessage, ProducerServerMessage } from '../protocol/live.ts';

/** The other side of a socket, and what can be told to it. */
export type Peer = {
  send(message: ProducerServerMessage | ConsumerServerMessage): void;
  /** Sends a line as it is. */
  line(text: string): void;
  /** Says what was refused; the connection goes on. */
  refuse(code: ErrorCode, message: string, streamId?: string): void;
  /** Says why and closes with the code of the table of errors. */
  fail(code: ErrorCode, message: string): void;
  /** Closes as agreed, 1000. */
  close(): void;
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
  /** Wall time of the last message from the peer. */
  heardAtMs: number;
};

/** A closing handshake that takes longer is cut. */
const CLOSE_MS = 2_000;

/** Returns the peer of a socket. Nothing that is sent to a socket that is closing does anything. */
export function createPeer(socket: WebSocket, nowMs: number): Peer {
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const line = (text: string): void => {
    if (isOpen()) socket.send(text);
  };
  const tell = (error: Omit<ErrorMessage, 'type' | 'retryable'>): void =>
    line(JSON.stringify({ type: 'error', retryable: ERROR_CODES[error.code].retryable, ...error }));
  const shut = (code: number, reason: string): void => {
    if (!isOpen()) return;
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  };
  return {
    send: (message) => line(JSON.stringify(message)),
    line,
    refuse: (code, message, streamId) =>
      tell({ code, message, isFatal: false, ...(streamId !== undefined && { streamId }) }),
    fail: (code, message) => {
      tell({ code, message, isFatal: true });
      shut(ERROR_CODES[code].closeCode, code);
    },
    close: () => shut(1000, ''),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    get isOpen() {
      return isOpen();
    },
    heardAtMs: nowMs,
  };
}

/** The code and message to tell a peer of an error; what is not ours to tell is `INTERNAL`. */
export function tellable(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  if (isUndertoneError(error)) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: 'a defect of the server; the session goes on if it can' };
}
