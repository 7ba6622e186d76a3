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
  isOpen(): boolean;
  sendSound(bytes: Uint8Array): void;
  sendText(type: 'Finalize' | 'CloseStream'): void;
  waitingBytes(): number;
  /** Something final came: the count of attempts begins again. */
  succeed(): void;
  /** Gives this connection up as if it had broken. */
  drop(reason: string): void;
  close(): void;
};

/** Starts connecting. */
export function createConnection(parts: ConnectionParts): Connection {
  return new LastingConnection(parts);
}

/** Owns the socket. */
class LastingConnection implements Connection {
  readonly #parts: ConnectionParts;
  #socket: DeepgramSocket | null = null;
  #isOpen = false;
  #isClosed = false;
  #attempts = 0;
  #sentAtMs = 0;
  #unansweredSinceMs: number | null = null;
  #cancelTick = (): void => undefined;
  #cancelRetry = (): void => undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#waitForTick();
    this.#open();
  }

  isOpen(): boolean {
    return this.#isOpen;
  }

  sendSound(bytes: Uint8Array): void {
    this.#unansweredSinceMs ??= this.#parts.timers.now();
    this.#send((socket) => socket.sendSound(bytes));
  }

  sendText(type: 'Finalize' | 'CloseStream'): void {
    this.#send((socket) => socket.sendText(type));
  }

  waitingBytes(): number {
    return this.#socket?.waitingBytes() ?? 0;
  }

  succeed(): void {
    this.#attempts = 1;
  }

  drop(reason: string): void {
    this.#lose({ closeCode: GIVEN_UP, reason });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTick();
    this.#cancelRetry();
    this.#letGo();
  }

  #open(): void {
    this.#attempts += 1;
    this.#unansweredSinceMs = null;
    this.#socket = this.#parts.connect(this.#parts.query, {
      onOpen: () => this.#hasOpened(),
      onMessage: (payload) => {
        this.#unansweredSinceMs = null;
        this.#parts.onMessage(payload);
      },
      onClosed: (failure) => this.#lose(failure),
    });
  }

  #hasOpened(): void {
    if (this.#isClosed) return;
    this.#isOpen = true;
    this.#sentAtMs = this.#parts.timers.now();
    this.#parts.onOpen();
  }

  #lose(failure: SocketFailure): void {
    if (this.#isClosed) return;
    this.#letGo();
    if (!isRetryable(failure) || this.#attempts >= MAX_ATTEMPTS) {
      this.close();
      this.#parts.onFailed(failure);
      return;
    }
    const { timers, random } = this.#parts;
    this.#cancelRetry = timers.after(delayMs(this.#attempts, random()), () => this.#open());
    this.#parts.onLost(failure);
  }

  #letGo(): void {
    this.#isOpen = false;
    this.#socket?.close();
    this.#socket = null;
  }

  #send(action: (to: DeepgramSocket) => void): void {
    if (this.#socket === null || !this.#isOpen) return;
    this.#sentAtMs = this.#parts.timers.now();
    try {
      action(this.#socket);
    } catch {
      this.drop('the socket closed while sending');
    }
  }

  #waitForTick(): void {
    this.#cancelTick = this.#parts.timers.after(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#waitForTick();
    const nowMs = this.#parts.timers.now();
    if (this.#unansweredSinceMs !== null && nowMs - this.#unansweredSinceMs >= SILENT_DEATH_MS)
      this.drop(`sound went out for ${SILENT_DEATH_MS} ms and nothing came back`);
    else if (nowMs - this.#sentAtMs >= KEEP_ALIVE_MS) this.#send((socket) => socket.sendText('KeepAlive'));
    this.#parts.onTick();
  }
}

/** How long to wait after so many attempts; `chance` in [0, 1) shortens it. */
function delayMs(attempts: number, chance: number): number {
  return Math.max(SHORTEST_DELAY_MS, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1)) * chance);
}
