import type { WebSocket } from 'ws';
import type { ConsumerHello, ConsumerMessage, ReadFromPictures } from '../protocol/live.ts';
import { decodeConsumerMessage } from '../protocol/liveSchema.ts';
import type { InsightLog } from './insightLog.ts';
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
  readonly vision: ReadFromPictures;
  /** Whether the server has so much to do that it leaves out what passes between first and final answers; never unless given. */
  readonly isTerse?: () => boolean;
  /** Takes a message into account; false when too much comes in too short a time. */
  readonly admit: (bytes: number) => boolean;
  /** Finds the session of a hello. @throws UndertoneError */
  readonly enter: (hello: ConsumerHello) => LiveSession;
  readonly count: (what: 'insights' | 'coalesced' | 'slow') => void;
};

/** Above this share of the bytes that may wait, answers that will be replaced are left out. */
const COALESCE_SHARE = 0.25;

/**
 * Serves one connection of a consumer: it goes through the log of the session as fast as the consumer reads, with at most
 * `maxBufferedBytes` on the way. While it reads slowly, answers that later ones replace (interim, provisional, revised) are
 * left out and the hole is declared; final ones, and what revises them, never are. One that stays behind for
 * `slowConsumerMs` is closed (`SLOW_CONSUMER`).
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
  #nextSeq = 1;
  /** The first insight that was left out and not declared yet; so were all up to `#nextSeq`. */
  #missedFrom: number | undefined;
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
    if (this.#behindSinceMs !== undefined && nowMs - this.#behindSinceMs >= this.#context.limits.slowConsumerMs)
      return this.#giveUp();
    if (this.#behindSinceMs === undefined) this.#declareMissed('coalesced');
    this.#send();
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
    const { id, epoch, log } = session;
    const { vision, limits } = this.#context;
    const { heartbeatMs } = limits;
    this.#session = session;
    const isSame = hello.epoch === undefined || hello.epoch === epoch;
    this.#nextSeq = Math.min(isSame ? (hello.after ?? 0) : 0, log.lastSeq) + 1;
    const nextSeq = Math.max(this.#nextSeq, log.firstSeq);
    this.#peer.send({ type: 'welcome', v: 1, session: id, epoch, heartbeatMs, nextSeq, vision });
    this.#stopListening = session.listen(() => this.#send());
    this.#send();
  }

  /** Sends what there is and what the consumer can take. When the session is over and all was sent, says so and closes. */
  #send(): void {
    const session = this.#session;
    if (!session || !this.#peer.isOpen) return;
    while (this.#nextSeq <= session.log.lastSeq && this.#peer.bufferedBytes <= this.#context.limits.maxBufferedBytes)
      this.#sendNext(session.log);
    if (session.ended === undefined || this.#nextSeq <= session.log.lastSeq) return;
    this.#declareMissed('coalesced');
    this.#peer.send({ type: 'ended', reason: session.ended });
    this.#peer.close();
  }

  #sendNext(log: InsightLog): void {
    const insight = log.at(this.#nextSeq);
    const isLeftOut = insight?.isDroppable && (this.#isBehind() || (insight.isPassing && this.#context.isTerse?.()));
    if (insight && !isLeftOut) {
      this.#declareMissed('coalesced');
      this.#peer.line(insight.line);
      this.#context.count('insights');
      this.#nextSeq++;
      return;
    }
    this.#missedFrom ??= this.#nextSeq;
    this.#nextSeq = insight ? this.#nextSeq + 1 : log.firstSeq;
    if (insight) this.#context.count('coalesced');
    else this.#declareMissed('backlog');
  }

  #declareMissed(reason: 'backlog' | 'coalesced'): void {
    const fromSeq = this.#missedFrom;
    if (fromSeq !== undefined) this.#peer.send({ type: 'missed', fromSeq, toSeq: this.#nextSeq - 1, reason });
    this.#missedFrom = undefined;
  }

  #isBehind(): boolean {
    return this.#peer.bufferedBytes > this.#context.limits.maxBufferedBytes * COALESCE_SHARE;
  }

  #giveUp(): void {
    this.#context.count('slow');
    this.#peer.fail('SLOW_CONSUMER', 'come back with after: the last seq that you have');
  }
}
