import { UndertoneError } from '../errors.ts';
import type { LiveLimits, ProducerHello, ProducerWelcome, ReadFromPictures } from '../protocol/live.ts';
import type { Evictable, Producer } from './producers.ts';
import type { LiveSession } from './session.ts';

/** The bounds that a producer is told of. */
export type ProducerLimits = LiveLimits & {
  readonly heartbeatMs: number;
  readonly graceMs: number;
  readonly ringMs: number;
};

/** What decides who comes in. */
export type EntryContext = {
  readonly now: () => number;
  /** Finds or begins the session that a hello is for. @throws UndertoneError */
  readonly enter: (hello: ProducerHello) => LiveSession;
  /** @throws UndertoneError FORBIDDEN when the token of this connection is for another participant */
  readonly speakFor: (participant: string | undefined) => void;
};

/** A producer in its session. */
export type Entered = { readonly session: LiveSession; readonly producer: Producer };

/** Lets a producer in, for the first time or again, over a connection. @throws UndertoneError */
export function letIn(
  hello: ProducerHello,
  connection: Evictable,
  { now, enter }: EntryContext,
): Entered & { readonly token: string } {
  const session = enter(hello);
  const { producers, ingest } = session;
  if (!hello.resume) return { session, ...producers.begin(connection, Math.round(session.begin())) };
  if (hello.resume.epoch !== session.epoch)
    throw new UndertoneError('RESUME_FAILED', 'the session of this epoch is gone; another has its name');
  const resumed = producers.resume(hello.resume.token, connection);
  ingest.reconnect(resumed.producer.id, now());
  return { session, ...resumed };
}

/** Adds the participants and streams of a hello; streams that are open already stay as they are. @throws UndertoneError */
export async function addDeclared(
  { participants, streams }: ProducerHello,
  { session, producer }: Entered,
  { speakFor }: EntryContext,
): Promise<void> {
  for (const participant of participants) {
    speakFor(participant.id);
    session.join(participant);
  }
  for (const declaration of streams) {
    if (session.ingest.find(declaration.streamId)) continue;
    speakFor(declaration.participant);
    await session.open(producer, declaration);
  }
}

/** Returns the answer to a hello. */
export function welcomeOf(
  { session, producer }: Entered,
  { limits, vision }: { readonly limits: ProducerLimits; readonly vision: ReadFromPictures },
  { token, isResumed }: { readonly token: string; readonly isResumed: boolean },
): ProducerWelcome {
  return {
    type: 'welcome',
    v: 1,
    session: session.id,
    epoch: session.epoch,
    isResumed,
    resumeToken: token,
    resumeWithinMs: limits.graceMs,
    ringMs: limits.ringMs,
    heartbeatMs: limits.heartbeatMs,
    clockMs: session.clockMs(),
    streams: session.ingest.positions(producer.id),
    participants: session.participants.all(),
    vision,
    limits: {
      maxMessageBytes: limits.maxMessageBytes,
      maxFrameBytes: limits.maxFrameBytes,
      maxStreams: limits.maxStreams,
      maxParticipants: limits.maxParticipants,
      maxMessagesPerSecond: limits.maxMessagesPerSecond,
      maxBytesPerSecond: limits.maxBytesPerSecond,
      maxSessionMs: limits.maxSessionMs,
    },
  };
}
