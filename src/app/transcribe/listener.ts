import type { RecognizerEvent } from '../../adapter.ts';
import type { MissingReason } from '../../domain/modality.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';
import { connect, type Connection } from './connection.ts';
import type { Member, Needs, Pool } from './pool.ts';
import type { Timers } from './timers.ts';

/** Why nobody listens. */
export type Missing = Extract<MissingReason, 'transcriber_down' | 'overload'>;

/** What finding a recognizer needs, and whom it tells. Times are ms of the session. */
export type ListenerOptions = {
  readonly pool: Pool;
  readonly needs: Needs;
  readonly timers: Timers;
  /** The session clock, by which breakers open and close. */
  readonly nowMs: () => number;
  readonly finalWaitMs: number;
  /** For how long nothing has been said; 0 while there is something to recognize. */
  readonly idleMs: () => number;
  readonly onEvent: (connection: Connection, event: RecognizerEvent) => void;
  /** A stream is not listened with any more: what it was given has to be given again. */
  readonly onLeft: () => void;
  /** The stream failed, or was left to somebody else, while nobody waited for it. */
  readonly onFree: () => void;
  /** Why no recognizer listens (`overload`: those that work have no room), or that one does; told when it changes. */
  readonly onState: (missing: Missing | undefined) => void;
  readonly onFault: (error: UndertoneError) => void;
};

/** Whichever recognizer of a pool listens to one line: at most one stream of one recognizer at a time. */
export type Listener = {
  /** The stream that is listened with; undefined before the first is found and after one is lost. */
  readonly current: Connection | undefined;
  /** Streams opened so far. */
  readonly opened: number;
  /** Whether a local recognizer would be found that takes no room of others. */
  isAtHand(): boolean;
  /** Resolves to the current stream, else to one of the first recognizer that opens; to undefined when none does. */
  find(): Promise<Connection | undefined>;
  /** Whether the pool would still choose the recognizer of this stream. */
  isFirstChoice(connection: Connection): boolean;
  /** A step of a stream failed: it is closed, and its recognizer left alone for a while. */
  lose(connection: Connection, error: unknown): void;
  /** Resolves when a stream has given its last final and is closed; rejects when it cannot. */
  dismiss(connection: Connection): Promise<void>;
  /** Ends at once; nothing is found any more. */
  close(): void;
};

/** Returns the listener of one line, without a stream. */
export function createListener(options: ListenerOptions): Listener {
  return new PoolListener(options);
}

/** Owns the stream that is open. */
class PoolListener implements Listener {
  readonly #options: ListenerOptions;
  #current: Connection | undefined;
  #opened = 0;
  #missing: Missing | undefined;
  #isClosed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get current(): Connection | undefined {
    return this.#current;
  }

  get opened(): number {
    return this.#opened;
  }

  isAtHand(): boolean {
    const member = this.#choose();
    return member?.recognizer.capabilities.isLocal === true && this.#options.pool.isFree(member);
  }

  async find(): Promise<Connection | undefined> {
    for (let member = this.#choose(); member; member = this.#choose()) {
      if (this.#current || this.#isClosed) return this.#current;
      const connection = this.#open(member);
      try {
        await connection.ready;
        if (this.#isClosed) connection.close();
        if (!connection.isClosed) return this.#take(connection);
      } catch (error) {
        this.lose(connection, error);
      }
    }
    if (!this.#isClosed) this.#say(this.#isCrowded() ? 'overload' : 'transcriber_down');
    return undefined;
  }

  isFirstChoice({ member }: Connection): boolean {
    return this.#choose(member) === member;
  }

  lose(connection: Connection, error: unknown): void {
    if (connection.isClosed) return;
    this.#leave(connection);
    const { breaker, recognizer } = connection.member;
    const known = toUndertoneError(error, recognizer.name);
    breaker.failed(this.#options.nowMs(), known.code === 'RECOGNIZER_MISSING');
    this.#options.onFault(known);
  }

  async dismiss(connection: Connection): Promise<void> {
    await connection.end();
    connection.close();
    if (this.#current === connection) this.#current = undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.close();
    this.#current = undefined;
  }

  #choose(current?: Member): Member | undefined {
    const { pool, needs, nowMs } = this.#options;
    return pool.choose(needs, nowMs(), current);
  }

  #isCrowded(): boolean {
    const { pool, needs, nowMs } = this.#options;
    return pool.isCrowded(needs, nowMs());
  }

  /** Opens a stream; whoever needs its seat more may have it, and the line goes on with the next recognizer. */
  #open(member: Member): Connection {
    const { pool, needs, timers, finalWaitMs, idleMs, onEvent, onFree } = this.#options;
    const onClosed = (): void => giveBack();
    const connection = connect(member, { needs, timers, finalWaitMs, onEvent, onFailure: onFree, onClosed });
    const giveBack = pool.sit(member, {
      idleMs,
      leave: () => {
        this.#leave(connection);
        onFree();
      },
    });
    return connection;
  }

  #take(connection: Connection): Connection {
    this.#current = connection;
    this.#opened += 1;
    this.#say(undefined);
    return connection;
  }

  #leave(connection: Connection): void {
    connection.close();
    if (this.#current === connection) this.#current = undefined;
    this.#options.onLeft();
  }

  #say(missing: Missing | undefined): void {
    if (missing !== this.#missing) this.#options.onState(missing);
    this.#missing = missing;
  }
}

function toUndertoneError(error: unknown, name: string): UndertoneError {
  if (isUndertoneError(error)) return error;
  return new UndertoneError('RECOGNIZER_FAILED', `${name} failed`, { cause: error });
}
