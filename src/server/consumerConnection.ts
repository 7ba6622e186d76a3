import type { RawData, WebSocket } from 'ws';
import type { ConsumerHello } from '../protocol/live.ts';
import { decodeConsumerMessage } from '../protocol/liveSchema.ts';
import type { LoggedInsight } from './insightLog.ts';
import { createPeer, tellable } from './peer.ts';
import type { Ticking } from './producerConnection.ts';
import type { TokenBucket } from './rateLimit.ts';
import type { LiveSession } from './sessions.ts';

/** What a connection of a consumer needs. */
export type ConsumerContext = {
  readonly now: () => number;
  readonly limits: {
    readonly maxMessageBytes: number;
    readonly helloTimeoutMs: number;
    readonly heartbeatMs: number;
    readonly maxBufferedBytes: number;
    readonly slowConsumerMs: number;
  };
  readonly messages: TokenBucket;
  /** Finds the session of a hello. @throws UndertoneError */
  readonly enter: (hello: ConsumerHello) => LiveSession;
  readonly count: (what: 'insights' | 'coalesced' | 'slow') => void;
};

/** Above this share of the bytes that may wait, answers that will be replaced are left out. */
const COALESCE_SHARE = 0.25;
const MAX_REFUSED = 20;

/**
 * Serves one connection of a consumer. Insights are sent as they come; while the consumer reads slowly, those that later
 * ones replace (interim, provisional, revised) are left out and the hole is declared; final ones, and what revises them, never are. One that
 * does not read for `slowConsumerMs`, or for which more than the limit waits, is closed (`SLOW_CONSUMER`).
 */
export function serveConsumer(socket: WebSocket, context: ConsumerContext): Ticking {
  const { now, limits } = context;
  const peer = createPeer(socket, now());
  const openedAtMs = now();
  let session: LiveSession | undefined;
  let stopListening: (() => void) | undefined;
  let missedFrom: number | undefined;
  let sentSeq = 0;
  let behindSinceMs: number | undefined;
  let refused = 0;

  const isBehind = (): boolean => peer.bufferedBytes > limits.maxBufferedBytes * COALESCE_SHARE;
  const declareMissed = (reason: 'backlog' | 'coalesced'): void => {
    if (missedFrom !== undefined) peer.send({ type: 'missed', fromSeq: missedFrom, toSeq: sentSeq, reason });
    missedFrom = undefined;
  };
  const insight = ({ seq, line, isDroppable }: LoggedInsight): void => {
    if (isDroppable && isBehind()) {
      missedFrom ??= seq;
      sentSeq = seq;
      context.count('coalesced');
      return;
    }
    declareMissed('coalesced');
    peer.line(line);
    sentSeq = seq;
    context.count('insights');
    if (peer.bufferedBytes > limits.maxBufferedBytes) slow();
  };
  const slow = (): void => {
    context.count('slow');
    stopListening?.();
    peer.fail('SLOW_CONSUMER', `come back with after: the last seq that you have`);
    socket.terminate();
  };
  const enter = (hello: ConsumerHello): void => {
    if (session) return refuse('hello: once only');
    session = context.enter(hello);
    const after = Math.min(hello.after ?? 0, session.log.lastSeq);
    const { insights, firstSeq } = session.log.after(after);
    const nextSeq = Math.max(after + 1, firstSeq);
    peer.send({
      type: 'welcome',
      v: 1,
      session: session.id,
      epoch: session.epoch,
      heartbeatMs: limits.heartbeatMs,
      nextSeq,
    });
    if (after + 1 < firstSeq) peer.send({ type: 'missed', fromSeq: after + 1, toSeq: firstSeq - 1, reason: 'backlog' });
    for (const { seq, line } of insights) {
      peer.line(line);
      sentSeq = seq;
    }
    const ended = (reason: NonNullable<LiveSession['ended']>): void => {
      declareMissed('coalesced');
      peer.send({ type: 'ended', reason });
      peer.close();
    };
    if (session.ended !== undefined) ended(session.ended);
    else stopListening = session.listen({ insight, ended });
  };
  const refuse = (rule: string): void => {
    if (++refused > MAX_REFUSED) peer.fail('BAD_MESSAGE', rule);
    else peer.refuse('BAD_MESSAGE', rule);
  };
  const hear = (text: string): void => {
    const decoded = decodeConsumerMessage(text);
    if (!decoded.ok) return refuse(decoded.rule);
    const { message } = decoded;
    if (message.type === 'ping') peer.send({ type: 'pong', id: message.id, clockMs: session?.clockMs() ?? 0 });
    else if (message.type === 'bye') peer.close();
    else enter(message);
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    peer.heardAtMs = now();
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
    if (bytes.length > limits.maxMessageBytes)
      return peer.fail('MESSAGE_TOO_BIG', `at most ${limits.maxMessageBytes} bytes`);
    if (!context.messages.take(1)) return peer.fail('RATE_LIMITED', 'too many messages a second');
    if (isBinary) return refuse('message: consumers send text');
    try {
      hear(bytes.toString('utf8'));
    } catch (error) {
      const { code, message } = tellable(error);
      peer.fail(code, message);
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => stopListening?.());

  return {
    tick: (nowMs) => {
      if (!peer.isOpen) return;
      if (!session && nowMs - openedAtMs >= limits.helloTimeoutMs) peer.fail('HELLO_TIMEOUT', 'no hello came in time');
      else if (nowMs - peer.heardAtMs >= 3 * limits.heartbeatMs)
        peer.fail('IDLE_TIMEOUT', 'nothing came, not even a ping');
      behindSinceMs = isBehind() ? (behindSinceMs ?? nowMs) : undefined;
      if (behindSinceMs !== undefined && nowMs - behindSinceMs >= limits.slowConsumerMs) slow();
      else if (behindSinceMs === undefined) declareMissed('coalesced');
    },
    goAway: (leftMs) => peer.send({ type: 'goaway', leftMs, reason: 'shutdown' }),
  };
}
