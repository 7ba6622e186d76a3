import { randomBytes } from 'node:crypto';
import { endWith, ignoreElements, type Observable, takeUntil } from 'rxjs';
import type { Insight } from '../domain/insight.ts';
import type { StreamKind } from '../domain/observation.ts';
import { UndertoneError } from '../errors.ts';
import type { EndReason } from '../protocol/live.ts';
import type { Analyze } from './analysis.ts';
import { abandonSession } from './departures.ts';
import type { DecideModalities } from './participants.ts';
import {
  createSession,
  type LiveSession,
  type SessionDeps,
  type SessionLimits,
  type SessionPurpose,
} from './session.ts';

/** The sessions of a server. */
export type Sessions = {
  /** Begins one. @throws UndertoneError OVERLOADED, LIMIT_EXCEEDED, BAD_MESSAGE when the id is taken */
  create(purpose: SessionPurpose, id?: string): LiveSession;
  /**
   * Begins one whose insights come from elsewhere: consumers may read it, no producer may enter it, and it is over when
   * they complete, or it is ended. @throws UndertoneError as `create`, but for OVERLOADED
   */
  publish(id: string, insights$: Observable<Insight>): LiveSession;
  /** @throws UndertoneError SESSION_NOT_FOUND */
  get(id: string): LiveSession;
  find(id: string): LiveSession | undefined;
  /** Ends one and forgets it and all that is kept of it. @throws UndertoneError SESSION_NOT_FOUND */
  delete(id: string): Promise<void>;
  tick(nowMs: number): void;
  /** Lets go unread, in all sessions, what streams of these kinds carry. */
  shed(kinds: ReadonlySet<StreamKind>): void;
  endAll(reason: EndReason): Promise<void>;
  all(): readonly LiveSession[];
  /** Sessions that are not over. */
  readonly active: number;
  /**
   * How long what came waits to be analyzed, in ms: in the middle one of the sessions, so that a producer who sends far more than
   * others makes nobody late but itself; 0 without any.
   */
  readonly lateMs: number;
};

/** The bounds of sessions. */
export type SessionsLimits = SessionLimits & {
  readonly maxSessions: number;
  readonly maxSessionMs: number;
  readonly graceMs: number;
};

/** How long the insights of a session that is over can still be read. */
export const LINGER_MS = 60_000;

/** What the sessions receive; `decideFor` gives the policy of a purpose. */
export type SessionsDeps = Omit<SessionDeps, 'decide'> & {
  readonly decideFor: (purpose: SessionPurpose) => DecideModalities;
  /** Whether there is more to do already than can be done; never unless given. */
  readonly isFull?: () => boolean;
};

/** A session in the register; wall times. `idleMs`: when a producer was there last. */
type Entry = { readonly session: LiveSession; readonly begunMs: number; idleMs: number; endedMs?: number };

/** Returns a register of sessions. Time passes by `tick` alone. */
export function createSessions(limits: SessionsLimits, deps: SessionsDeps): Sessions {
  const entries = new Map<string, Entry>();
  let epoch = 0;
  const all = (): readonly LiveSession[] => [...entries.values()].map(({ session }) => session);
  const active = (): readonly LiveSession[] => all().filter(({ ended }) => ended === undefined);
  const find = (id: string): LiveSession | undefined => entries.get(id)?.session;
  const get = (id: string): LiveSession => {
    const session = find(id);
    if (!session) throw new UndertoneError('SESSION_NOT_FOUND', 'there is no such session');
    return session;
  };
  const add = (purpose: SessionPurpose, id: string, analyze?: Analyze): LiveSession => {
    if (active().length >= limits.maxSessions)
      throw new UndertoneError('LIMIT_EXCEEDED', `at most ${limits.maxSessions} sessions at once`);
    if (entries.has(id)) throw new UndertoneError('BAD_MESSAGE', 'a session has this id already');
    const isPublished = analyze !== undefined;
    const own = { ...deps, decide: deps.decideFor(purpose), ...(analyze && { analyze }) };
    epoch = Math.max(epoch + 1, Date.now());
    const session = createSession({ ...purpose, id, epoch, isPublished }, limits, own);
    entries.set(id, { session, begunMs: deps.now(), idleMs: deps.now() });
    return session;
  };
  return {
    create: (purpose, id = `s${randomBytes(9).toString('hex')}`) => {
      if (deps.isFull?.()) throw new UndertoneError('OVERLOADED', 'the server takes no new sessions at the moment');
      return add(purpose, id);
    },
    publish: (id, insights$) =>
      add({}, id, (events$) => insights$.pipe(takeUntil(events$.pipe(ignoreElements(), endWith(undefined))))),
    get,
    find,
    delete: async (id) => {
      const session = get(id);
      entries.delete(id);
      await session.end('deleted');
    },
    tick: (nowMs) => {
      for (const [id, entry] of entries)
        if (entry.session.ended === undefined) age(entry, limits, nowMs);
        else if (nowMs - (entry.endedMs ??= nowMs) >= LINGER_MS) entries.delete(id);
    },
    shed: (kinds) => {
      for (const session of active()) {
        session.ingest.shed(kinds);
        session.advance();
      }
    },
    endAll: async (reason) => void (await Promise.allSettled(active().map((session) => session.end(reason)))),
    all,
    get active() {
      return active().length;
    },
    get lateMs() {
      const rising = active()
        .map(({ lateMs }) => lateMs)
        .sort((a, b) => a - b);
      return rising[Math.floor((rising.length - 1) / 2)] ?? 0;
    },
  };
}

/** Lets a session grow older: producers that stay away are given up, and so is what nobody sends to or lasts too long. */
function age(entry: Entry, { graceMs, maxSessionMs }: SessionsLimits, nowMs: number): void {
  const { session, begunMs } = entry;
  session.ingest.tick(nowMs);
  session.advance();
  for (const producer of session.producers.all())
    if (producer.lostAtMs !== undefined && nowMs - producer.lostAtMs >= graceMs) abandonSession(session, producer);
  if (session.isPublished || session.producers.all().length > 0) entry.idleMs = nowMs;
  if (nowMs - entry.idleMs >= graceMs) void session.end('abandoned');
  if (nowMs - begunMs >= maxSessionMs) void session.end('length');
}
