import type { WebSocket } from 'ws';
import { UndertoneError } from '../errors.ts';
import type { ProducerHello, ProducerMessage, ReadFromPictures } from '../protocol/live.ts';
import { decodeProducerMessage } from '../protocol/liveSchema.ts';
import { decodeMediaFrame } from '../protocol/mediaFrame.ts';
import { leaveSession } from './departures.ts';
import { type Connection, createPeer, hearPeer, type Peer, tellable, type Watch } from './peer.ts';
import { act, tellRefusals } from './producerActs.ts';
import {
  addDeclared,
  type Entered,
  type EntryContext,
  letIn,
  type ProducerLimits,
  welcomeOf,
} from './producerEntry.ts';
import type { Evictable } from './producers.ts';

/** What a connection of a producer needs. */
export type ProducerContext = EntryContext & {
  readonly limits: ProducerLimits & {
    readonly helloTimeoutMs: number;
    readonly maxAheadMs: number;
    readonly maxBufferedBytes: number;
  };
  readonly vision: ReadFromPictures;
  /** Takes a message into account; false when too much comes in too short a time. */
  readonly admit: (bytes: number) => boolean;
  /** Counts what happened, for metrics. */
  readonly count: (what: 'frames' | 'refused' | 'resumed' | 'lost') => void;
};

/** Events that may wait for the analysis before a producer is made to wait, and below which it goes on. */
const WAITING = { most: 400, few: 100 };
/** `ack` comes with the first tick after so long. */
const ACK_MS = 900;

/** Serves one connection of a producer until it closes. */
export function serveProducer(socket: WebSocket, context: ProducerContext): Connection {
  return new ProducerConnection(socket, context);
}

class ProducerConnection implements Connection, Evictable {
  readonly #socket: WebSocket;
  readonly #context: ProducerContext;
  readonly #peer: Peer;
  readonly #watch: Watch;
  #live: Entered | undefined;
  #isConfirmed = false;
  #isBye = false;
  #ackedAtMs = 0;
  /** Messages wait for one another: opening a stream takes a moment. */
  #previous: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(socket: WebSocket, context: ProducerContext) {
    const { now, limits, admit } = context;
    this.#socket = socket;
    this.#context = context;
    this.#peer = createPeer(socket, () => context.count('refused'));
    this.#watch = hearPeer(socket, this.#peer, {
      now,
      limits,
      maxBytes: (isBinary) => (isBinary ? limits.maxFrameBytes : limits.maxMessageBytes),
      admit,
      hear: (bytes, isBinary) => this.#queue(bytes, isBinary),
    });
    socket.on('close', () => void this.#previous.then(() => this.#lose()));
  }

  tick(nowMs: number): void {
    if (!this.#peer.isOpen) return;
    const live = this.#live;
    this.#watch.check(nowMs, { hasEntered: live !== undefined, isPaused: this.#socket.isPaused });
    if (this.#peer.bufferedBytes > this.#context.limits.maxBufferedBytes)
      this.#peer.fail('SLOW_CONSUMER', 'what the server answers is not read');
    if (!live || !this.#peer.isOpen) return;
    this.#breathe(live);
    const { session, producer } = live;
    if (session.ended !== undefined) {
      this.#peer.send({ type: 'ended', reason: session.ended });
      return this.#peer.close();
    }
    if (nowMs - this.#ackedAtMs < ACK_MS) return;
    this.#ackedAtMs = nowMs;
    this.#peer.send({ type: 'ack', streams: session.ingest.positions(producer.id) });
  }

  goAway(leftMs: number): void {
    this.#peer.send({ type: 'goaway', leftMs, reason: 'shutdown' });
  }

  evict(): void {
    this.#peer.fail('EVICTED', 'another connection came with the resume token');
  }

  #queue(bytes: Buffer, isBinary: boolean): void {
    if (isBinary && this.#waiting === 0) this.#hearAtOnce(bytes);
    else this.#hearInTurn(bytes, isBinary);
    if (this.#live) this.#breathe(this.#live);
  }

  /** Nothing waits, and media needs no moment. */
  #hearAtOnce(bytes: Buffer): void {
    try {
      this.#confirm();
      this.#hearFrame(bytes);
      this.#live?.session.advance();
    } catch (error) {
      this.#peer.failWith(error);
    }
  }

  #hearInTurn(bytes: Buffer, isBinary: boolean): void {
    this.#waiting++;
    this.#previous = this.#previous
      .then(() => this.#hear(bytes, isBinary))
      .catch((error: unknown) => this.#peer.failWith(error))
      .finally(() => this.#waiting--);
  }

  async #hear(bytes: Buffer, isBinary: boolean): Promise<void> {
    if (!this.#peer.isOpen) return;
    this.#confirm();
    if (isBinary) this.#hearFrame(bytes);
    else await this.#hearText(bytes.toString('utf8'));
    this.#live?.session.advance();
  }

  /** Whoever says something more has had the welcome, and its token. */
  #confirm(): void {
    if (!this.#live || this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#live.session.producers.confirm(this.#live.producer);
  }

  #hearFrame(bytes: Uint8Array): void {
    if (!this.#live) return this.#peer.refuse('BAD_MESSAGE', 'hello must come first');
    const decoded = decodeMediaFrame(bytes);
    if (!decoded.ok) return this.#peer.refuse('BAD_FRAME', decoded.rule);
    this.#context.count('frames');
    const { session, producer } = this.#live;
    tellRefusals(this.#peer, session.ingest.frame(producer.id, decoded.frame, this.#context.now()));
  }

  async #hearText(text: string): Promise<void> {
    const decoded = decodeProducerMessage(text);
    if (!decoded.ok) return this.#peer.refuse('BAD_MESSAGE', decoded.rule);
    try {
      await this.#obey(decoded.message);
    } catch (error) {
      if (decoded.message.type === 'hello') return this.#peer.failWith(error);
      const { code, message } = tellable(error);
      this.#peer.refuse(code, message);
    }
  }

  async #obey(message: ProducerMessage): Promise<void> {
    const live = this.#live;
    if (message.type === 'ping')
      return this.#peer.send({ type: 'pong', id: message.id, clockMs: live?.session.clockMs() ?? 0 });
    if (message.type === 'hello') return this.#enter(message);
    if (!live) throw new UndertoneError('BAD_MESSAGE', 'hello must come first');
    if (message.type !== 'bye') return act(message, { ...live, ...this.#context, peer: this.#peer });
    this.#isBye = true;
    leaveSession(live.session, live.producer);
    this.#peer.close();
  }

  async #enter(hello: ProducerHello): Promise<void> {
    if (this.#live) throw new UndertoneError('BAD_MESSAGE', 'hello: once only');
    const { token, ...entered } = letIn(hello, this, this.#context);
    this.#live = entered;
    const isResumed = hello.resume !== undefined;
    if (isResumed) this.#context.count('resumed');
    await addDeclared(hello, entered, this.#context);
    entered.session.advance();
    this.#peer.send(welcomeOf(entered, this.#context, { token, isResumed }));
  }

  /** Makes the peer wait while the analysis is behind, or while it sends what cannot have happened yet. */
  #breathe({ session, producer }: Entered): void {
    const socket = this.#socket;
    const aheadMs = session.ingest.furthestMs(producer.id) - session.clockMs();
    const isAhead = aheadMs > this.#context.limits.maxAheadMs;
    if (isAhead || session.waiting > (socket.isPaused ? WAITING.few : WAITING.most)) socket.pause();
    else if (socket.isPaused) socket.resume();
  }

  #lose(): void {
    if (!this.#live || this.#isBye) return;
    const { session, producer } = this.#live;
    const { now, count } = this.#context;
    if (!session.producers.lose(producer, this, now())) return;
    count('lost');
    session.ingest.disconnect(producer.id);
    session.advance();
  }
}
