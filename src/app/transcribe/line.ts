import type { RecognizerEvent } from '../../adapter.ts';
import type { MissingReason } from '../../domain/modality.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';
import { connect, type Connection, type Timers } from './connection.ts';
import type { Member, Needs, Pool } from './pool.ts';
import { createUnfinished, type Entry } from './unfinished.ts';

/** Why nobody listens. */
export type Missing = Extract<MissingReason, 'transcriber_down' | 'overload'>;

/** What a line needs, and whom it tells. Times are ms of the session. */
export type LineOptions = {
  readonly pool: Pool;
  readonly needs: Needs;
  readonly timers: Timers;
  /** The session clock, by which breakers open and close. */
  readonly nowMs: () => number;
  /** Wait for the final of a remote recognizer, at most so long, before the next sound is given; 0 does not wait. */
  readonly finalWaitMs: number;
  /** An event in session time; `connection` counts the streams opened so far, whose speaker labels mean nothing to the next. */
  readonly onEvent: (event: RecognizerEvent, connection: number) => void;
  /** Why no recognizer listens (`overload`: those that work have no room), or that one does; told when it changes. */
  readonly onState: (missing: Missing | undefined) => void;
  readonly onFault: (error: UndertoneError) => void;
};

/** The speech of one audio stream on its way through whichever recognizer of the pool works. */
export type Line = {
  /** Opens a local recognizer before there is speech, if that takes no room of others: the first words come sooner. */
  prepare(): void;
  push(entries: readonly Entry[]): void;
  /** Resolves when everything pushed was given to a recognizer (and answered, if it is local), or nobody works. */
  settle(): Promise<void>;
  /** Resolves when every final was delivered; the line takes nothing more. */
  end(): Promise<void>;
  /** Ends at once. */
  close(): void;
};

/** Speech without a final that is kept for the next recognizer; older speech is lost, which is told as a fault. */
export const KEPT_MS = 30_000;

/** Returns a line that opens a recognizer with its first speech. */
export function createLine(options: LineOptions): Line {
  const { pool, needs, timers, nowMs, onFault } = options;
  const unfinished = createUnfinished(KEPT_MS);
  let current: Connection | undefined;
  let connections = 0;
  let missing: Missing | undefined;
  let pushedAtMs = 0;
  let isRunning = false;
  let isClosed = false;
  let hasLost = false;
  let lastFinalEndMs = -Infinity;
  let idle: Promise<void> = Promise.resolve();

  const tell = (connection: Connection, event: RecognizerEvent): void => {
    if (current !== connection || isClosed) return;
    if (event.type === 'final') {
      if (event.endMs <= lastFinalEndMs) return;
      lastFinalEndMs = event.endMs;
      unfinished.finished(event.endMs);
      connection.member.breaker.worked();
    }
    options.onEvent(event, connections);
  };
  const leave = (connection: Connection): void => {
    connection.close();
    if (current === connection) current = undefined;
    unfinished.rewind();
  };
  const lose = (connection: Connection, error: unknown): void => {
    if (connection.isClosed) return;
    leave(connection);
    const known = toUndertoneError(error, connection.member.recognizer.name);
    connection.member.breaker.failed(nowMs(), known.code === 'RECOGNIZER_MISSING');
    onFault(known);
  };
  const say = (why: Missing | undefined): void => {
    if (why !== missing) options.onState(why);
    missing = why;
  };
  /** Opens a stream; whoever needs its seat more may have it, and the line goes on with the next recognizer. */
  const open = (member: Member): Connection => {
    const { finalWaitMs } = options;
    const more = { onEvent: tell, onFailure: pump, onClosed: () => giveBack() };
    const opened = connect(member, { needs, timers, finalWaitMs, ...more });
    const giveBack = pool.sit(member, {
      idleMs: () => (isRunning ? 0 : nowMs() - pushedAtMs),
      leave: () => {
        leave(opened);
        pump();
      },
    });
    return opened;
  };

  const find = async (): Promise<Connection | undefined> => {
    for (let member = pool.choose(needs, nowMs()); member; member = pool.choose(needs, nowMs())) {
      if (current || isClosed) return current;
      const opened = open(member);
      try {
        await opened.ready;
        if (isClosed) opened.close();
        if (opened.isClosed) continue;
        current = opened;
        connections += 1;
        say(undefined);
        return current;
      } catch (error) {
        lose(opened, error);
      }
    }
    if (!isClosed) say(pool.isCrowded(needs, nowMs()) ? 'overload' : 'transcriber_down');
    return undefined;
  };
  const give = async (connection: Connection, entry: Entry): Promise<void> => {
    if (entry.type === 'sound') await connection.write(entry.startMs, entry.samples);
    else if (entry.type === 'finalize') {
      await connection.finalize();
      if (connection.member.recognizer.capabilities.isLocal) unfinished.answered();
    } else if (pool.choose(needs, nowMs(), connection.member) !== connection.member) {
      await connection.end();
      connection.close();
      current = undefined;
      unfinished.answered();
    }
  };
  const run = async (): Promise<void> => {
    for (;;) {
      if (current?.error) lose(current, current.error);
      const entry = isClosed ? undefined : unfinished.next();
      if (entry === undefined) break;
      const connection = current ?? (await find());
      if (connection === undefined) {
        unfinished.rewind();
        break;
      }
      await give(connection, entry).catch((error: unknown) => lose(connection, error));
    }
    isRunning = false;
  };
  function pump(): void {
    if (isRunning) return;
    isRunning = true;
    idle = run();
  }
  const settle = async (): Promise<void> => {
    while (isRunning) await idle;
  };

  return {
    prepare: () => {
      const member = pool.choose(needs, nowMs());
      if (isRunning || current || !member?.recognizer.capabilities.isLocal || !pool.isFree(member)) return;
      isRunning = true;
      idle = find().then(run);
    },
    push: (entries) => {
      if (entries.length > 0) pushedAtMs = nowMs();
      for (const entry of entries) {
        const lostMs = unfinished.push(entry);
        if (lostMs > 0 && !hasLost)
          onFault(new UndertoneError('LIMIT_EXCEEDED', `speech waits longer than ${KEPT_MS} ms`));
        hasLost ||= lostMs > 0;
      }
      if (entries.length > 0) pump();
    },
    settle,
    end: async () => {
      await settle();
      while (current) {
        const ending = current;
        await ending.end().then(
          () => (current = undefined),
          (error: unknown) => {
            lose(ending, error);
            pump();
          },
        );
        ending.close();
        await settle();
      }
      isClosed = true;
    },
    close: () => {
      isClosed = true;
      current?.close();
      current = undefined;
    },
  };
}

function toUndertoneError(error: unknown, name: string): UndertoneError {
  if (isUndertoneError(error)) return error;
  return new UndertoneError('RECOGNIZER_FAILED', `${name} failed`, { cause: error });
}
