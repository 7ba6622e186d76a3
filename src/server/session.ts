import { Subject, type Observable, type Subscription } from 'rxjs';
import type { OpusPacketDecoder } from '../adapter.ts';
import type { Insight } from '../domain/insight.ts';
import type { MissingReason, Modality } from '../domain/modality.ts';
import { isUndertoneError, UndertoneError } from '../errors.ts';
import type {
  EndReason,
  Participant,
  ParticipantPolicy,
  StreamDeclaration,
  TranscriptMessage,
} from '../protocol/live.ts';
import { type AudioDecoder, createAudioDecoder } from './ingest/decodeAudio.ts';
import { createIngest, type Ingest, type Refusal } from './ingest/ingest.ts';
import type { SourceEvent } from './ingest/sourceEvent.ts';
import { createInsightLog, type InsightLog, type LoggedInsight } from './insightLog.ts';
import { createParticipants, type DecideModalities, type Participants } from './participants.ts';

/** What analyzes the sessions of a server. `onTaken` is called when an event has been taken in. */
export type Analyze = (events$: Observable<SourceEvent>, onTaken: () => void) => Observable<Insight>;

/** What a session receives. */
export type SessionDeps = {
  readonly analyze: Analyze;
  readonly createOpus: (channels: 1 | 2) => Promise<OpusPacketDecoder>;
  /** Wall time in ms, never back. */
  readonly now: () => number;
  readonly decide: DecideModalities;
};

/** The bounds of a session. */
export type SessionLimits = {
  readonly maxStreams: number;
  readonly maxParticipants: number;
  readonly backlogInsights: number;
};

/** Someone who reads the insights of a session as they come. */
export type Listener = {
  readonly insight: (insight: LoggedInsight) => void;
  readonly ended: (reason: EndReason) => void;
};

/** A conversation that is happening. */
export type Session = {
  readonly id: string;
  readonly epoch: number;
  readonly ingest: Ingest;
  readonly participants: Participants;
  readonly log: InsightLog;
  /** Events that wait to be analyzed; a producer should wait when there are many. */
  readonly waiting: number;
  readonly ended: EndReason | undefined;
  /** Ms of wall time since the first producer came. */
  clockMs(): number;
  /** A producer comes: returns the session clock, which begins with the first one. */
  begin(): number;
  join(participant: Participant): ParticipantPolicy;
  consent(id: string, modalities: readonly Modality[]): ParticipantPolicy;
  /** @throws UndertoneError LIMIT_EXCEEDED, UNKNOWN_STREAM, BAD_MESSAGE, UNSUPPORTED_FORMAT */
  open(producer: string, declaration: StreamDeclaration, offsetMs: number): Promise<void>;
  /** Takes in words; those of a participant whose words may not be analyzed are counted and not read. */
  hear(message: TranscriptMessage): readonly Refusal[];
  decoderFor(declaration: Extract<StreamDeclaration, { kind: 'audio' }>): Promise<AudioDecoder>;
  /** Passes on what is in order by now; call it after every call of `ingest`. */
  advance(): void;
  listen(listener: Listener): () => void;
  /** Analyzes what is left, emits the summary, tells the listeners. Resolves when all is told. */
  end(reason: EndReason): Promise<void>;
};

/** Begins a session. A failure of its analysis ends it (`failed`) and nothing else. */
export function createSession(id: string, limits: SessionLimits, deps: SessionDeps): Session {
  const { now } = deps;
  /** Session time 0 is the hello of the first producer. */
  let startedMs = now();
  let hasBegun = false;
  const ingest = createIngest();
  const participants = createParticipants(limits.maxParticipants, deps.decide);
  const log = createInsightLog(limits.backlogInsights);
  const listeners = new Set<Listener>();
  const events$ = new Subject<SourceEvent>();
  const numbers = new Set<number>();
  let waiting = 0;
  let ended: EndReason | undefined;
  let reason: EndReason = 'bye';
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));

  const clockMs = (): number => now() - startedMs;
  const settle = (): void => {
    ended ??= reason;
    for (const listener of listeners) listener.ended(ended);
    listeners.clear();
    finish();
  };
  const tell = (insight: Insight): void => {
    const logged = log.append(stamped(insight, clockMs()));
    for (const listener of listeners) listener.insight(logged);
  };
  const fail = (error: unknown): void => {
    const code = isUndertoneError(error) ? error.code : 'INTERNAL';
    tell({ type: 'fault', seq: log.lastSeq + 1, atMs: 0, code, message: 'the analysis of this session failed' });
    reason = 'failed';
    settle();
  };
  const tellOrFail = (insight: Insight): void => {
    try {
      if (ended === undefined) tell(insight);
    } catch (error) {
      fail(error);
    }
  };
  const subscription: Subscription = deps
    .analyze(events$, () => waiting--)
    .subscribe({ next: tellOrFail, error: fail, complete: settle });
  const pass = (events: readonly SourceEvent[]): void => {
    if (ended !== undefined) return;
    for (const event of events) {
      waiting++;
      events$.next(event);
    }
  };

  const allowedFor = (participant: string | undefined): readonly Modality[] =>
    participant === undefined ? participants.common() : (participants.get(participant)?.modalities ?? []);
  const refusalOf = (declaration: StreamDeclaration): MissingReason | undefined => {
    const allowed = allowedFor(declaration.participant);
    const isAllowed = modalitiesOf(declaration).some((modality) => allowed.includes(modality));
    if (isAllowed) return undefined;
    const refused = declaration.participant === undefined ? [] : participants.get(declaration.participant)?.refused;
    return refused?.find(({ modality }) => modalitiesOf(declaration).includes(modality))?.reason ?? 'privacy';
  };
  /** Says in the stream of events what may be analyzed of a participant, and lets go unread what may not. */
  const apply = (policy: ParticipantPolicy, isNew: boolean): ParticipantPolicy => {
    const { speaker, modalities, refused } = policy;
    const first = refused[0];
    if (first !== undefined || !isNew)
      ingest.tell({ type: 'consent', speaker, modalities, reason: first?.reason ?? 'consent' });
    for (const { entry } of ingest.streams())
      ingest.setRefused(entry.declaration.streamId, refusalOf(entry.declaration));
    return policy;
  };
  const decoderFor: Session['decoderFor'] = async ({ format }) => {
    const opus = format.encoding === 'opus' ? await deps.createOpus(format.channels) : undefined;
    return createAudioDecoder(format, opus);
  };

  return {
    id,
    epoch: 1,
    ingest,
    participants,
    log,
    get waiting() {
      return waiting;
    },
    get ended() {
      return ended;
    },
    clockMs,
    begin: () => {
      if (!hasBegun) startedMs = now();
      hasBegun = true;
      return clockMs();
    },
    join: (participant) => {
      const isNew = participants.get(participant.id) === undefined;
      return apply(participants.join(participant), isNew);
    },
    hear: (message) => {
      const { participant } = message;
      const policy = participant === undefined ? undefined : participants.get(participant);
      if (participant !== undefined && !policy)
        return [{ code: 'UNKNOWN_STREAM', streamId: message.streamId, rule: 'no participant has this id' }];
      if (policy && !policy.modalities.includes('text'))
        return ingest.transcript({ ...message, text: '', words: [] }, now(), { isUnread: true });
      return ingest.transcript(message, now(), policy ? { speaker: policy.speaker } : {});
    },
    consent: (who, modalities) => apply(participants.consent(who, modalities), false),
    open: async (producer, declaration, offsetMs) => {
      if (ingest.has(declaration.streamId)) throw new UndertoneError('BAD_MESSAGE', 'a stream has this id already');
      if (numbers.has(declaration.number)) throw new UndertoneError('BAD_MESSAGE', 'a stream had this number already');
      if (numbers.size >= limits.maxStreams * 8 || [...ingest.streams()].length >= limits.maxStreams)
        throw new UndertoneError('LIMIT_EXCEEDED', `at most ${limits.maxStreams} streams`);
      const policy = declaration.participant === undefined ? undefined : participants.get(declaration.participant);
      if (declaration.participant !== undefined && !policy)
        throw new UndertoneError('UNKNOWN_STREAM', 'a stream names a participant that has not joined');
      numbers.add(declaration.number);
      const decoder = declaration.kind === 'audio' ? { decoder: await decoderFor(declaration) } : {};
      const refused = refusalOf(declaration);
      const more = { ...(policy && { speaker: policy.speaker }), ...(refused && { refused }), ...decoder };
      ingest.open({ producer, declaration, offsetMs, ...more }, now());
    },
    decoderFor,
    advance: () => pass(ingest.drain(now())),
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    end: (why) => {
      if (ended !== undefined) return finished;
      reason = why;
      pass(ingest.end('track_ended'));
      events$.complete();
      return finished.finally(() => subscription.unsubscribe());
    },
  };
}

function modalitiesOf({ kind }: StreamDeclaration): readonly Modality[] {
  switch (kind) {
    case 'audio':
      return ['audio'];
    case 'captions':
      return ['text'];
    case 'video':
      return ['face', 'body'];
    case 'face':
    case 'body':
      return [kind];
  }
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
