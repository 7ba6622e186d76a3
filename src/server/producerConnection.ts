import type { RawData, WebSocket } from 'ws';
import type { ErrorCode } from '../errors.ts';
import { UndertoneError } from '../errors.ts';
import type {
  LiveLimits,
  Participant,
  ProducerHello,
  ProducerMessage,
  ProducerWelcome,
  StreamDeclaration,
} from '../protocol/live.ts';
import { decodeProducerMessage } from '../protocol/liveSchema.ts';
import { decodeMediaFrame } from '../protocol/mediaFrame.ts';
import { createPeer, tellable } from './peer.ts';
import type { Evictable, Producer } from './producers.ts';
import type { TokenBucket } from './rateLimit.ts';
import type { LiveSession } from './sessions.ts';

/** What a connection of a producer needs. */
export type ProducerContext = {
  readonly now: () => number;
  readonly limits: LiveLimits & {
    readonly helloTimeoutMs: number;
    readonly heartbeatMs: number;
    readonly graceMs: number;
    readonly ringMs: number;
    readonly maxAheadMs: number;
  };
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  /** Finds or begins the session that a hello is for. @throws UndertoneError */
  readonly enter: (hello: ProducerHello) => LiveSession;
  /** @throws UndertoneError FORBIDDEN when the token of this connection is for another participant */
  readonly speakFor: (participant: string | undefined) => void;
  /** Counts what happened, for metrics. */
  readonly count: (what: 'frames' | 'refused' | 'resumed' | 'lost') => void;
};

/** A connection that is asked now and then whether its time is over. */
export type Ticking = { readonly tick: (nowMs: number) => void; readonly goAway: (leftMs: number) => void };

/** Peers that are refused so often are closed. */
const MAX_REFUSED = 100;
/** Events that may wait for the analysis before a producer is made to wait, and below which it goes on. */
const WAITING = { most: 400, few: 100 };

/** Serves one connection of a producer until it closes. */
export function serveProducer(socket: WebSocket, context: ProducerContext): Ticking {
  const { now, limits } = context;
  const peer = createPeer(socket, now());
  const openedAtMs = now();
  let live: { readonly session: LiveSession; readonly producer: Producer } | undefined;
  let isConfirmed = false;
  let isEntering = false;
  let isBye = false;
  let refused = 0;
  let ackedAtMs = 0;
  /** Messages wait for one another: opening a stream takes a moment. */
  let previous: Promise<void> = Promise.resolve();
  const connection: Evictable = { evict: () => peer.fail('EVICTED', 'another connection came with the resume token') };

  const refuse = (code: ErrorCode, message: string, streamId?: string): void => {
    context.count('refused');
    if (++refused > MAX_REFUSED) peer.fail(code, message);
    else peer.refuse(code, message, streamId);
  };

  const enter = async (hello: ProducerHello): Promise<void> => {
    if (live || isEntering) throw new UndertoneError('BAD_MESSAGE', 'hello: once only');
    isEntering = true;
    const session = context.enter(hello);
    const { resume } = hello;
    const entered = resume
      ? session.producers.resume(resume.token, connection)
      : session.producers.begin(connection, Math.round(session.begin()));
    live = { session, producer: entered.producer };
    if (resume) session.ingest.reconnect(entered.producer.id, now());
    if (resume) context.count('resumed');
    for (const participant of hello.participants) join(participant);
    for (const declaration of hello.streams)
      if (!session.ingest.has(declaration.streamId)) await openStream(declaration);
    session.advance();
    peer.send(welcome(session, entered.producer, entered.token, resume !== undefined));
  };
  const join = (participant: Participant): void => {
    context.speakFor(participant.id);
    live?.session.join(participant);
  };
  const openStream = async (declaration: StreamDeclaration): Promise<void> => {
    if (!live) return;
    context.speakFor(declaration.participant);
    await live.session.open(live.producer.id, declaration, live.producer.offsetMs);
  };
  const welcome = (session: LiveSession, producer: Producer, token: string, isResumed: boolean): ProducerWelcome => ({
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
    limits: {
      maxMessageBytes: limits.maxMessageBytes,
      maxFrameBytes: limits.maxFrameBytes,
      maxStreams: limits.maxStreams,
      maxParticipants: limits.maxParticipants,
      maxMessagesPerSecond: limits.maxMessagesPerSecond,
      maxBytesPerSecond: limits.maxBytesPerSecond,
      maxSessionMs: limits.maxSessionMs,
    },
  });

  const act = async (message: ProducerMessage): Promise<void> => {
    if (message.type === 'ping')
      return peer.send({ type: 'pong', id: message.id, clockMs: live?.session.clockMs() ?? 0 });
    if (message.type === 'hello') return enter(message);
    if (!live) throw new UndertoneError('BAD_MESSAGE', 'hello must come first');
    const { session, producer } = live;
    switch (message.type) {
      case 'join':
        join(message.participant);
        return peer.send({ type: 'policy', participants: session.participants.all() });
      case 'open':
        for (const declaration of message.streams) await openStream(declaration);
        return;
      case 'close':
        return session.ingest.close(own(message.streamId), 'track_ended');
      case 'state':
        return session.ingest.setState(own(message.streamId), message.state);
      case 'format': {
        const entry = [...session.ingest.streams()].find(
          (stream) => stream.entry.declaration.streamId === own(message.streamId),
        )?.entry;
        if (entry?.declaration.kind !== 'audio')
          throw new UndertoneError('UNKNOWN_STREAM', 'no audio stream has this id');
        const decoder = await session.decoderFor({ ...entry.declaration, format: message.format });
        return session.ingest.changeFormat(message.streamId, decoder);
      }
      case 'transcript':
        if (message.participant !== undefined) context.speakFor(message.participant);
        own(message.streamId);
        for (const { code, rule, streamId } of session.hear(message)) refuse(code, rule, streamId);
        return;
      case 'sightless':
        own(message.streamId);
        for (const { code, rule, streamId } of session.ingest.sightless(message, now())) refuse(code, rule, streamId);
        return;
      case 'consent':
        context.speakFor(message.participant);
        session.consent(message.participant, message.modalities);
        return peer.send({ type: 'policy', participants: session.participants.all() });
      case 'name':
        context.speakFor(message.participant);
        session.rename(message.participant, message.name);
        return peer.send({ type: 'policy', participants: session.participants.all() });
      case 'bye':
        isBye = true;
        session.leave(producer);
        return peer.close();
    }
  };
  const own = (streamId: string): string => {
    const isOwn = live?.session.ingest.positions(live.producer.id).some((position) => position.streamId === streamId);
    if (!isOwn) throw new UndertoneError('UNKNOWN_STREAM', 'no stream of this producer has this id');
    return streamId;
  };

  const hearText = async (text: string): Promise<void> => {
    const decoded = decodeProducerMessage(text);
    if (!decoded.ok) return refuse('BAD_MESSAGE', decoded.rule);
    try {
      await act(decoded.message);
    } catch (error) {
      const { code, message } = tellable(error);
      if (decoded.message.type === 'hello') peer.fail(code, message);
      else refuse(code, message);
    }
  };
  const hearFrame = (bytes: Uint8Array): void => {
    if (!live) return refuse('BAD_MESSAGE', 'hello must come first');
    const decoded = decodeMediaFrame(bytes);
    if (!decoded.ok) return refuse('BAD_FRAME', decoded.rule);
    context.count('frames');
    for (const { code, rule, streamId } of live.session.ingest.frame(live.producer.id, decoded.frame, now()))
      refuse(code, rule, streamId);
  };
  const hear = async (bytes: Buffer, isBinary: boolean): Promise<void> => {
    if (!peer.isOpen) return;
    if (isBinary) hearFrame(bytes);
    else await hearText(bytes.toString('utf8'));
    if (live && !isConfirmed && !isEntering) {
      isConfirmed = true;
      live.session.producers.confirm(live.producer);
    }
    isEntering = false;
    live?.session.advance();
  };

  /** Makes the peer wait while the analysis is behind, or while it sends what cannot have happened yet. */
  const breathe = (): void => {
    if (!live) return;
    const { session, producer } = live;
    const furthest = Math.max(0, ...session.ingest.positions(producer.id).map(({ mediaMs }) => mediaMs));
    const isAhead = producer.offsetMs + furthest - session.clockMs() > limits.maxAheadMs;
    if (socket.isPaused ? isAhead || session.waiting > WAITING.few : isAhead || session.waiting > WAITING.most)
      socket.pause();
    else if (socket.isPaused) socket.resume();
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
    peer.heardAtMs = now();
    const most = isBinary ? limits.maxFrameBytes : limits.maxMessageBytes;
    if (bytes.length > most) return peer.fail('MESSAGE_TOO_BIG', `at most ${most} bytes`);
    if (!context.messages.take(1) || !context.bytes.take(Math.max(1, bytes.length)))
      return peer.fail('RATE_LIMITED', 'too many messages or bytes a second');
    previous = previous
      .then(() => hear(bytes, isBinary))
      .catch((error: unknown) => {
        const { code, message } = tellable(error);
        peer.fail(code, message);
      });
    breathe();
  });
  socket.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') peer.fail('MESSAGE_TOO_BIG', 'a message is too big');
  });
  socket.on('close', () => {
    void previous.then(() => {
      if (!live || isBye) return;
      if (!live.session.producers.lose(live.producer, connection, now())) return;
      context.count('lost');
      live.session.ingest.disconnect(live.producer.id);
      live.session.advance();
    });
  });

  return {
    tick: (nowMs) => {
      if (!peer.isOpen) return;
      if (!live && nowMs - openedAtMs >= limits.helloTimeoutMs)
        return peer.fail('HELLO_TIMEOUT', 'no hello came in time');
      if (!socket.isPaused && nowMs - peer.heardAtMs >= 3 * limits.heartbeatMs)
        return peer.fail('IDLE_TIMEOUT', 'nothing came, not even a ping');
      breathe();
      if (!live) return;
      const { session, producer } = live;
      if (session.ended !== undefined) {
        peer.send({ type: 'ended', reason: session.ended });
        return peer.close();
      }
      if (nowMs - ackedAtMs < 900) return;
      ackedAtMs = nowMs;
      peer.send({ type: 'ack', streams: session.ingest.positions(producer.id) });
    },
    goAway: (leftMs) => peer.send({ type: 'goaway', leftMs, reason: 'shutdown' }),
  };
}
