import { UndertoneError, type ErrorCode } from '../errors.ts';
import { SUBPROTOCOL, TOKEN_SUBPROTOCOL } from '../protocol/live.ts';
import type { ConsumerWelcome, ErrorMessage, ProducerWelcome } from '../protocol/live.ts';
import { backoffMs } from './backoff.ts';
import {
  decodeServerMessage,
  isRetryable,
  isWelcome,
  toFinalError,
  type Ending,
  type ServerMessage,
} from './decode.ts';
import { isToken, type Endpoint } from './options.ts';
import type { ClientSocket } from './socket.ts';
import type { Status } from './status.ts';

/** The socket stayed so long that the next failure is the first again. */
const STABLE_MS = 10_000;
/** How many heartbeats without a sign of life make a connection dead, as on the server. */
const SILENT_HEARTBEATS = 3;
const CLOSED_BY_US = 1_000;
const NO_CLOSE_CODE = 1_006;
const TIMED_OUT = 4_408;
const BAD_WELCOME = 4_400;

/** What the owner of a link does at its events. */
export type LinkOwner = {
  /** The first message of a connection. */
  hello(): object;
  /** Takes a welcome: `resumed` when nothing was forgotten; nothing when it lacks something. */
  welcomed(welcome: ProducerWelcome | ConsumerWelcome): 'live' | 'resumed' | undefined;
  /** Every other message, those that the link acts on too. */
  heard(message: Exclude<ServerMessage, { readonly type: 'welcome' }>): void;
  /** May this ending be tried again after all? Asked only of final ones. */
  forgives?(ending: Ending): boolean;
  changed(status: Status): void;
};

/** One socket to the server that comes back after a drop, with heartbeats, until it is closed for good. */
export class Link {
  readonly #endpoint: Endpoint;
  readonly #owner: LinkOwner;
  #status: Status = { state: 'connecting', attempt: 1 };
  #socket: ClientSocket | undefined;
  /** Rises with each attempt, so that a token that comes too late is not used. */
  #attemptId = 0;
  #failures = 0;
  #lostMs: number | undefined;
  #welcomedMs: number | undefined;
  #wasLive = false;
  /** The handshake of this attempt went through, so there is somebody. */
  #wasReached = false;
  #heardMs = 0;
  #pings = 0;
  #error: ErrorMessage | undefined;
  #ending: Pick<Ending, 'reason'> = {};
  #isLeaving = false;
  /** The next attempt has been put off. */
  #isWaiting = false;
  #cancelTimer: () => void = () => undefined;

  constructor(endpoint: Endpoint, owner: LinkOwner) {
    this.#endpoint = endpoint;
    this.#owner = owner;
  }

  get status(): Status {
    return this.#status;
  }

  get isLive(): boolean {
    return this.#welcomedMs !== undefined;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Opens the socket, now; what fails is tried again. */
  start(): void {
    this.#lostMs = this.#endpoint.now();
    this.#change(this.#waiting(NO_CLOSE_CODE));
    void this.#open();
  }

  /** The way is open again, as somebody else has found out: tries now what was put off. */
  hurry(): void {
    if (this.#isWaiting) void this.#open();
  }

  /** Sends when live, and says whether it did. */
  send(message: object | string | Uint8Array): boolean {
    if (!this.#socket || !this.isLive) return false;
    this.#socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
    return true;
  }

  /** However the connection ends from now on, it was meant. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Lets go of the socket without giving up; `start` goes on. */
  pause(): void {
    this.#release(CLOSED_BY_US);
    this.#lostMs = this.#endpoint.now();
    this.#change(this.#waiting(CLOSED_BY_US));
  }

  /** Closes for good. */
  close(error?: UndertoneError): void {
    if (this.#status.state === 'closed') return;
    this.#release(CLOSED_BY_US);
    this.#end(CLOSED_BY_US, error);
  }

  async #open(): Promise<void> {
    const attemptId = ++this.#attemptId;
    this.#isWaiting = false;
    this.#wasReached = false;
    this.#after(this.#endpoint.welcomeWithinMs, () => this.#lose(TIMED_OUT));
    const token = await this.#token();
    if (attemptId !== this.#attemptId) return;
    if (token === undefined) return this.#lose(NO_CLOSE_CODE, 'UNAUTHENTICATED');
    const protocols = token === '' ? [SUBPROTOCOL] : [SUBPROTOCOL, TOKEN_SUBPROTOCOL + token];
    try {
      this.#listen(new this.#endpoint.WebSocket(this.#endpoint.url, protocols));
    } catch {
      // The runtime does not allow the socket, as a browser's content security policy may.
      this.#lose(NO_CLOSE_CODE, 'UNREACHABLE');
    }
  }

  #listen(socket: ClientSocket): void {
    this.#socket = socket;
    const whileOurs = (act: () => void): void => {
      if (this.#socket === socket) act();
    };
    socket.addEventListener('open', () =>
      whileOurs(() => {
        this.#wasReached = true;
        socket.send(JSON.stringify(this.#owner.hello()));
      }),
    );
    socket.addEventListener('message', ({ data }) => whileOurs(() => this.#receive(data)));
    socket.addEventListener('close', ({ code }) => whileOurs(() => this.#lose(code ?? NO_CLOSE_CODE)));
    // An error is always followed by a close, which is acted on; but without a listener, `ws` throws.
    socket.addEventListener('error', () => undefined);
  }

  /** The token of this attempt, empty without one; nothing when there should be one and is not. */
  async #token(): Promise<string | undefined> {
    const { token = '', role } = this.#endpoint;
    if (typeof token === 'string') return token;
    try {
      const fresh = await token(role);
      return isToken(fresh) ? fresh : undefined;
    } catch {
      return undefined;
    }
  }

  #receive(data: unknown): void {
    this.#heardMs = this.#endpoint.now();
    const message = decodeServerMessage(data);
    if (!message) return;
    if (message.type === 'welcome') return this.isLive ? undefined : this.#welcome(message);
    if (message.type === 'error' && message.isFatal) this.#error = message;
    if (message.type === 'ended') this.#ending = { reason: message.reason };
    this.#owner.heard(message);
  }

  #welcome(welcome: ProducerWelcome | ConsumerWelcome): void {
    const socket = this.#socket;
    this.#welcomedMs = this.#endpoint.now();
    const state = isWelcome(welcome) ? this.#owner.welcomed(welcome) : undefined;
    if (!state) return this.#lose(BAD_WELCOME);
    if (this.#socket !== socket) return;
    this.#wasLive = true;
    this.#lostMs = undefined;
    this.#beat(welcome.heartbeatMs);
    this.#change({ state, session: welcome.session, epoch: welcome.epoch });
  }

  #beat(heartbeatMs: number): void {
    this.#after(heartbeatMs, () => {
      const silentMs = this.#endpoint.now() - this.#heardMs;
      if (silentMs >= heartbeatMs * SILENT_HEARTBEATS) return this.#lose(TIMED_OUT);
      this.send({ type: 'ping', id: this.#pings++ });
      this.#beat(heartbeatMs);
    });
  }

  #lose(closeCode: number, given?: ErrorCode): void {
    const ending: Ending = { closeCode, ...(this.#error && { error: this.#error }), ...this.#ending };
    const liveMs = this.#welcomedMs === undefined ? 0 : this.#endpoint.now() - this.#welcomedMs;
    this.#failures = liveMs >= STABLE_MS ? 1 : this.#failures + 1;
    this.#release(closeCode);
    if (this.#isLeaving) return this.#change({ state: 'closed', closeCode, ...this.#ending });
    if (!this.#mayRetry(ending)) return this.#end(closeCode, toFinalError(ending));
    this.#lostMs ??= this.#endpoint.now();
    const { random, backoff, giveUpMs, now } = this.#endpoint;
    const code = given ?? ending.error?.code ?? (this.#wasReached ? undefined : 'UNREACHABLE');
    if (now() - this.#lostMs >= giveUpMs)
      return this.#end(closeCode, new UndertoneError(code ?? 'UNREACHABLE', `no connection for ${giveUpMs} ms`));
    this.#after(backoffMs(this.#failures, random(), backoff), () => void this.#open());
    this.#isWaiting = true;
    this.#change(this.#waiting(closeCode, code));
  }

  #mayRetry(ending: Ending): boolean {
    const isStale = ending.error?.code === 'TOKEN_EXPIRED' && typeof this.#endpoint.token !== 'function';
    return (isRetryable(ending) && !isStale) || this.#owner.forgives?.(ending) === true;
  }

  #end(closeCode: number, error: UndertoneError | undefined): void {
    this.#change({ state: 'closed', closeCode, ...(error && { error }), ...this.#ending });
  }

  #waiting(closeCode: number, code?: ErrorCode): Status {
    const attempt = this.#failures + 1;
    const why = code && { code };
    if (!this.#wasLive) return { state: 'connecting', attempt, ...why };
    const sinceMs = this.#lostMs ?? this.#endpoint.now();
    return { state: 'reconnecting', sinceMs, attempt, closeCode, ...why };
  }

  /** There is one timer: for the welcome, the next heartbeat or the next attempt. */
  #after(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#endpoint.schedule(run, ms);
  }

  #release(closeCode: number): void {
    this.#attemptId++;
    this.#isWaiting = false;
    this.#cancelTimer();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#welcomedMs = undefined;
    this.#error = undefined;
    if (!socket) return;
    socket.close(closeCode === TIMED_OUT || closeCode === BAD_WELCOME ? closeCode : CLOSED_BY_US);
    if (closeCode === TIMED_OUT) socket.terminate?.();
  }

  #change(status: Status): void {
    this.#status = status;
    this.#owner.changed(status);
  }
}
