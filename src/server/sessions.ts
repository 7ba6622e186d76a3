import { randomBytes } from 'node:crypto';
import { UndertoneError } from '../errors.ts';
import type { EndReason, ParticipantPolicy, Purpose, PurposeException } from '../protocol/live.ts';
import { createProducers, type Producer, type Producers } from './producers.ts';
import { createSession, type Session, type SessionDeps, type SessionLimits } from './session.ts';
import type { DecideModalities } from './participants.ts';

/** What a session is for. */
export type SessionPurpose = { readonly purpose?: Purpose; readonly exception?: PurposeException };

/** A session, those who send to it, and what is done with both. */
export type LiveSession = Session &
  SessionPurpose & {
    readonly producers: Producers;
    rename(participant: string, name: string): ParticipantPolicy;
    /** A producer is done; when it was the last, the session is over. */
    leave(producer: Producer): void;
  };

/** The sessions of a server. */
export type Sessions = {
  /** Begins one. @throws UndertoneError LIMIT_EXCEEDED, BAD_MESSAGE when the id is taken */
  create(purpose: SessionPurpose, id?: string): LiveSession;
  /** @throws UndertoneError SESSION_NOT_FOUND */
  get(id: string): LiveSession;
  find(id: string): LiveSession | undefined;
  /** Ends one and forgets it and all that is kept of it. @throws UndertoneError SESSION_NOT_FOUND */
  delete(id: string): Promise<void>;
  tick(nowMs: number): void;
  endAll(reason: EndReason): Promise<void>;
  all(): readonly LiveSession[];
  /** Sessions that are not over. */
  readonly active: number;
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
};

/** Returns a register of sessions. Time passes by `tick` alone. */
export function createSessions(limits: SessionsLimits, deps: SessionsDeps): Sessions {
  const sessions = new Map<string, LiveSession>();
  const times = new Map<string, { readonly begunMs: number; idleMs: number; endedMs?: number }>();
  const get = (id: string): LiveSession => {
    const session = sessions.get(id);
    if (!session) throw new UndertoneError('SESSION_NOT_FOUND', 'there is no such session');
    return session;
  };
  const forget = (id: string): void => {
    sessions.delete(id);
    times.delete(id);
  };
  const active = (): readonly LiveSession[] => [...sessions.values()].filter(({ ended }) => ended === undefined);

  const tickOne = (session: LiveSession, nowMs: number): void => {
    const time = times.get(session.id);
    if (!time) return;
    if (session.ended !== undefined) {
      time.endedMs ??= nowMs;
      if (nowMs - time.endedMs >= LINGER_MS) forget(session.id);
      return;
    }
    session.ingest.tick(nowMs);
    session.advance();
    for (const producer of session.producers.all())
      if (producer.lostAtMs !== undefined && nowMs - producer.lostAtMs >= limits.graceMs) abandon(session, producer);
    if (session.producers.all().length > 0) time.idleMs = nowMs;
    if (nowMs - time.idleMs >= limits.graceMs) void session.end('abandoned');
    if (nowMs - time.begunMs >= limits.maxSessionMs) void session.end('length');
  };

  return {
    create: (purpose, id = `s${randomBytes(9).toString('hex')}`) => {
      if (active().length >= limits.maxSessions)
        throw new UndertoneError('LIMIT_EXCEEDED', `at most ${limits.maxSessions} sessions at once`);
      if (sessions.has(id)) throw new UndertoneError('BAD_MESSAGE', 'a session has this id already');
      const session = createSession(id, limits, { ...deps, decide: deps.decideFor(purpose) });
      const lives = toLive(session, purpose);
      sessions.set(id, lives);
      times.set(id, { begunMs: deps.now(), idleMs: deps.now() });
      return lives;
    },
    get,
    find: (id) => sessions.get(id),
    delete: async (id) => {
      const session = get(id);
      forget(id);
      await session.end('deleted');
    },
    tick: (nowMs) => {
      for (const session of sessions.values()) tickOne(session, nowMs);
    },
    endAll: async (reason) => void (await Promise.allSettled(active().map((session) => session.end(reason)))),
    all: () => [...sessions.values()],
    get active() {
      return active().length;
    },
  };
}

/** What a producer that did not come back had open is over; what it did not send is declared. */
function abandon(session: LiveSession, producer: Producer): void {
  const { ingest } = session;
  for (const { streamId, mediaMs } of ingest.positions(producer.id)) {
    const startMs = producer.offsetMs + mediaMs;
    const endMs = Math.max(startMs, ingest.clockMs);
    ingest.tell({ type: 'gap', streamId, startMs, endMs, reason: 'disconnected' });
    ingest.close(streamId, 'disconnected');
  }
  session.producers.remove(producer);
  session.advance();
  if (session.producers.all().length === 0) void session.end('abandoned');
}

function toLive(session: Session, purpose: SessionPurpose): LiveSession {
  const producers = createProducers();
  const more = {
    ...purpose,
    producers,
    rename: (participant: string, name: string): ParticipantPolicy => {
      const policy = session.participants.rename(participant, name);
      const { speaker } = policy;
      session.ingest.tell({ type: 'speakerNamed', speakerId: speaker.id, speaker });
      return policy;
    },
    leave: (producer: Producer): void => {
      for (const { streamId } of session.ingest.positions(producer.id)) session.ingest.close(streamId, 'track_ended');
      producers.remove(producer);
      session.advance();
      if (producers.all().length === 0) void session.end('bye');
    },
  };
  return Object.defineProperties(more, Object.getOwnPropertyDescriptors(session)) as LiveSession;
}
