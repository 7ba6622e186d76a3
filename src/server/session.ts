import type { OpusPacketDecoder } from '../adapter.ts';
import type { Insight } from '../domain/insight.ts';
import type { EndReason, Purpose, PurposeException } from '../protocol/live.ts';
import { type Analyze, startAnalysis } from './analysis.ts';
import { type Consents, createConsents } from './consents.ts';
import { createIngest, DEFAULT_INGEST, type Ingest } from './ingest/ingest.ts';
import { createInsightFeed, type InsightFeed } from './insightFeed.ts';
import { createParticipants, type DecideModalities, type Participants } from './participants.ts';
import { hearForWords } from './policy.ts';
import { createProducers, type Producers } from './producers.ts';
import { createStreamOpener, type StreamOpener } from './streamOpener.ts';

export type { Analyze } from './analysis.ts';

/** What a session is for. */
export type SessionPurpose = { readonly purpose?: Purpose; readonly exception?: PurposeException };

/** What a session receives. */
export type SessionDeps = {
  readonly analyze: Analyze;
  readonly createOpus: (channels: 1 | 2) => Promise<OpusPacketDecoder>;
  /** Wall time in ms, never back. */
  readonly now: () => number;
  readonly decide: DecideModalities;
  /** Whether speech becomes text here: then sound that may not be measured is heard for words that may be analyzed. */
  readonly transcribes?: boolean;
};

/** The bounds of a session. */
export type SessionLimits = {
  readonly maxStreams: number;
  readonly maxParticipants: number;
  readonly backlogInsights: number;
  /** How far media may be ahead of the clock before their producer is made to wait. */
  readonly maxAheadMs: number;
};

/** Media that are on their way to us when a producer is made to wait. */
const BURST_MS = 60_000;

/** A conversation that is happening, those who send to it, and those who read of it. */
export type LiveSession = SessionPurpose &
  Omit<Consents, 'refusalOf'> &
  StreamOpener &
  Pick<InsightFeed, 'log' | 'listen'> & {
    readonly id: string;
    /** Whether its insights come from elsewhere, so that no producer may enter it. */
    readonly isPublished: boolean;
    /** Wall time at which it began, in ms since 1970: no two sessions of one name have the same, nor does one after a restart. */
    readonly epoch: number;
    readonly ingest: Ingest;
    readonly participants: Participants;
    readonly producers: Producers;
    /** Events that wait to be analyzed; a producer should wait when there are many. */
    readonly waiting: number;
    /** How long the first of them has waited, in ms of wall time; 0 without any. */
    readonly lateMs: number;
    /** Why it is over; undefined while it goes on. */
    readonly ended: EndReason | undefined;
    /** Ms of wall time since the first producer came. */
    clockMs(): number;
    /** A producer comes: returns the session clock, which begins with the first one. */
    begin(): number;
    /** Passes on what is in order by now; call it after every call of `ingest`. */
    advance(): void;
    /** Analyzes what is left, emits the summary, tells the listeners. Resolves when all is told. */
    end(reason: EndReason): Promise<void>;
  };

/** What tells a session from others, and what it is for. */
type SessionIdentity = SessionPurpose & Pick<LiveSession, 'id' | 'epoch'>;

/** Begins a session. A failure of its analysis ends it (`failed`) and nothing else. */
export function createSession(
  { isPublished = false, ...identity }: SessionIdentity & { readonly isPublished?: boolean },
  limits: SessionLimits,
  deps: SessionDeps,
): LiveSession {
  const { now } = deps;
  const clock = createSessionClock(now);
  const feed = createInsightFeed(limits.backlogInsights);
  const ingest = createIngest(DEFAULT_INGEST, () => clock.clockMs() + limits.maxAheadMs + BURST_MS);
  const { decide, transcribes = false } = deps;
  const decideHere: DecideModalities = transcribes ? (who) => hearForWords(decide(who)) : decide;
  const participants = createParticipants(limits.maxParticipants, decideHere);
  const { refusalOf, ...consents } = createConsents({ ...deps, ingest, participants });
  const opener = createStreamOpener(limits.maxStreams, { ...deps, ingest, participants, refusalOf });
  const analysis = startAnalysis(
    deps.analyze,
    {
      insight: (insight) => feed.tell(stamped(insight, clock.clockMs())),
      failed: (code) => {
        const seq = feed.log.lastSeq + 1;
        const message = 'the analysis of this session failed';
        feed.tell({ type: 'fault', seq, atMs: Math.max(0, clock.clockMs()), code, message });
      },
      ended: () => {
        ingest.end('track_ended');
        feed.end();
      },
    },
    now,
  );
  return {
    ...identity,
    isPublished,
    ...clock,
    ...consents,
    ...opener,
    ingest,
    participants,
    producers: createProducers(),
    log: feed.log,
    listen: feed.listen,
    get waiting() {
      return analysis.waiting;
    },
    get lateMs() {
      return analysis.lateMs;
    },
    get ended() {
      return analysis.ended;
    },
    advance: () => analysis.pass(ingest.drain(now())),
    end: (reason) => analysis.end(reason, ingest.end('track_ended')),
  };
}

/** Session time 0 is the hello of the first producer. */
function createSessionClock(now: () => number): Pick<LiveSession, 'clockMs' | 'begin'> {
  let startedMs = now();
  let hasBegun = false;
  const clockMs = (): number => now() - startedMs;
  return {
    clockMs,
    begin: () => {
      if (!hasBegun) startedMs = now();
      hasBegun = true;
      return clockMs();
    },
  };
}

/**
 * An insight is emitted by the clock of the media; on the wire it bears the wall's, and the latency that a listener sees:
 * what the media were late is in it.
 */
function stamped(insight: Insight, wallMs: number): Insight {
  const lateMs = Math.max(0, wallMs - insight.atMs);
  if (insight.type !== 'utterance') return { ...insight, atMs: insight.atMs + lateMs };
  return { ...insight, atMs: insight.atMs + lateMs, latencyMs: insight.latencyMs + lateMs };
}
