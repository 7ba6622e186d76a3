import type { WebSocket } from 'ws';
import type { ConsumerHello, ConsumerMessage, EndReason } from '../protocol/live.ts';
import { decodeConsumerMessage } from '../protocol/liveSchema.ts';
import type { LoggedInsight } from './insightLog.ts';
import { type Connection, createPeer, hearPeer, type Peer, type Watch } from './peer.ts';
import type { LiveSession } from './session.ts';

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
  /** Takes a message into account; false when too much comes in too short a time. */
  readonly admit: (bytes: number) => boolean;
  /** Finds the session of a hello. @throws UndertoneError */
  readonly enter: (hello: ConsumerHello) => LiveSession;
  readonly count: (what: 'insights' | 'coalesced' | 'slow') => void;
};

/** Above this share of the bytes that may wait, answers that will be replaced are left out. */
const COALESCE_SHARE = 0.25;

/**
 * Serves one connection of a consumer. Insights are sent as they come; while the consumer reads slowly, those that later
 * ones replace (interim, provisional, revised) are left out and the hole is declared; final ones, and what revises them, never are. One that
 * does not read for `slowConsumerMs`, or for which more than the limit waits, is closed (`SLOW_CONSUMER`).
 */
export function serveConsumer(socket: WebSocket, context: ConsumerContext): Connection {
  return new ConsumerConnection(socket, context);
}

class ConsumerConnection implements Connection {
  readonly #context: ConsumerContext;
  readonly #peer: Peer;
  readonly #watch: Watch;
  #session: LiveSession | undefined;
  #stopListening: (() => void) | undefined;
  /** The first insight that was left out and not declared yet; those up to `#sentSeq` were. */
  #missedFrom: number | undefined;
  #sentSeq = 0;
  #behindSinceMs: number | undefined;

  constructor(socket: WebSocket, context: ConsumerContext) {
    const { now, limits, admit } = context;
    this.#context = context;
    this.#peer = createPeer(socket);
    this.#watch = hearPeer(socket, this.#peer, {
      now,
      limits,
      maxBytes: () => limits.maxMessageBytes,
      admit,
      hear: (bytes, isBinary) => this.#hear(bytes, isBinary),
    });
    socket.on('close', () => this.#stopListening?.());
  }

  tick(nowMs: number): void {
    if (!this.#peer.isOpen) return;
    this.#watch.check(nowMs, { hasEntered: this.#session !== undefined, isPaused: false });
    this.#behindSinceMs = this.#isBehind() ? (this.#behindSinceMs ?? nowMs) : undefined;
    if (this.#behindSinceMs === undefined) this.#declareMissed();
    else if (nowMs - this.#behindSinceMs >= this.#context.limits.slowConsumerMs) this.#giveUp();
  }

  goAway(leftMs: number): void {
    this.#peer.send({ type: 'goaway', leftMs, reason: 'shutdown' });
  }

  #hear(bytes: Buffer, isBinary: boolean): void {
    if (isBinary) return this.#peer.refuse('BAD_MESSAGE', 'message: consumers send text');
    const decoded = decodeConsumerMessage(bytes.toString('utf8'));
    if (!decoded.ok) return this.#peer.refuse('BAD_MESSAGE', decoded.rule);
    try {
      this.#obey(decoded.message);
    } catch (error) {
      this.#peer.failWith(error);
    }
  }

  #obey(message: ConsumerMessage): void {
    if (message.type === 'ping')
      this.#peer.send({ type: 'pong', id: message.id, clockMs: this.#session?.clockMs() ?? 0 });
    else if (message.type === 'bye') this.#peer.close();
    else if (this.#session) this.#peer.refuse('BAD_MESSAGE', 'hello: once only');
    else this.#enter(message);
  }

  #enter(hello: ConsumerHello): void {
    const session = this.#context.enter(hello);
    this.#session = session;
    this.#welcome(session, Math.min(hello.after ?? 0, session.log.lastSeq));
    if (session.ended !== undefined) return this.#end(session.ended);
    this.#stopListening = session.listen({
      insight: (insight) => this.#insight(insight),
      ended: (reason) => this.#end(reason),
    });
  }

  /** Says welcome, and everything that is held after `seq`. */
  #welcome({ id: session, epoch, log }: LiveSession, seq: number): void {
    const { heartbeatMs } = this.#context.limits;
    const { insights, firstSeq } = log.after(seq);
    const nextSeq = Math.max(seq + 1, firstSeq);
    this.#peer.send({ type: 'welcome', v: 1, session, epoch, heartbeatMs, nextSeq });
    if (nextSeq > seq + 1) this.#peer.send({ type: 'missed', fromSeq: seq + 1, toSeq: nextSeq - 1, reason: 'backlog' });
    for (const { line } of insights) this.#peer.line(line);
    this.#sentSeq = log.lastSeq;
  }

  #insight({ seq, line, isDroppable }: LoggedInsight): void {
    if (isDroppable && this.#isBehind()) {
      this.#missedFrom ??= seq;
      this.#sentSeq = seq;
      this.#context.count('coalesced');
      return;
    }
    this.#declareMissed();
    this.#peer.line(line);
    this.#sentSeq = seq;
    this.#context.count('insights');
    if (this.#peer.bufferedBytes > this.#context.limits.maxBufferedBytes) this.#giveUp();
  }

  #end(reason: EndReason): void {
    this.#declareMissed();
    this.#peer.send({ type: 'ended', reason });
    this.#peer.close();
  }

  #declareMissed(): void {
    const fromSeq = this.#missedFrom;
    if (fromSeq !== undefined) this.#peer.send({ type: 'missed', fromSeq, toSeq: this.#sentSeq, reason: 'coalesced' });
    this.#missedFrom = undefined;
  }

  #isBehind(): boolean {
    return this.#peer.bufferedBytes > this.#context.limits.maxBufferedBytes * COALESCE_SHARE;
  }

  #giveUp(): void {
    this.#context.count('slow');
    this.#stopListening?.();
    this.#peer.fail('SLOW_CONSUMER', 'come back with after: the last seq that you have');
  }
}
