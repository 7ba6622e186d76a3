import type { Insight } from '../domain/insight.ts';
import type { UndertoneError } from '../errors.ts';
import type { ConsumerHello, ConsumerWelcome, ErrorMessage, MissedMessage, ProducerWelcome } from '../protocol/live.ts';
import { isConsumerWelcome, isInsight, type ServerMessage } from './decode.ts';
import { createEmitter } from './emitter.ts';
import { InsightQueue } from './insightQueue.ts';
import { Link } from './link.ts';
import { checkPositive, type ConsumeOptions, type Endpoint } from './options.ts';
import type { Status } from './status.ts';
import { untilClosed, untilLive } from './untilStatus.ts';

const DEFAULT_MAX_QUEUED = 1_000;

/** What a consumer tells its listeners. */
export type ConsumerEvents = {
  status: Status;
  /** Each insight once, in the order of `seq`. */
  insight: Insight;
  /** Insights that will not come: too old for the server, or replaced while this was slow. */
  missed: MissedMessage;
  error: ErrorMessage;
  goaway: { readonly leftMs: number; readonly reason: 'shutdown' | 'length' };
};

/** How many insights came, and how many were not given on and why. */
export type ConsumerCounts = {
  readonly received: number;
  /** Came again after a drop, and were discarded. */
  readonly duplicates: number;
  /** Said to be missing by the server. */
  readonly missed: number;
  /** Left out of a full queue because a later one replaces them. */
  readonly coalesced: number;
  readonly queued: number;
};

/** Receives insights, from where it was after each drop. */
export class Consumer implements AsyncIterable<Insight> {
  readonly #link: Link;
  readonly #emitter = createEmitter<ConsumerEvents>();
  readonly #maxQueued: number;
  #session: string | undefined;
  #epoch: number | undefined;
  #lastSeq: number;
  /** What the hello of this connection said. */
  #askedAfter = 0;
  #queue: InsightQueue | undefined;
  #isPaused = false;
  #wake: () => void = () => undefined;
  readonly #counts = { received: 0, duplicates: 0, missed: 0, coalesced: 0 };

  /**
   * Use `connect`. `mayAppear` says whether a session that is not there may come yet.
   * @throws TypeError or RangeError when an option breaks its rule.
   */
  constructor(
    endpoint: Endpoint,
    { after = 0, maxQueued = DEFAULT_MAX_QUEUED }: ConsumeOptions,
    { session, mayAppear = () => false }: { readonly session?: string; readonly mayAppear?: () => boolean },
  ) {
    if (!Number.isSafeInteger(after) || after < 0)
      throw new RangeError(`after must be a whole number from 0 on, got ${after}`);
    checkPositive('maxQueued', maxQueued);
    this.#session = session;
    this.#lastSeq = after;
    this.#maxQueued = maxQueued;
    this.#link = new Link(endpoint, {
      hello: () => this.#hello(),
      welcomed: (welcome) => this.#welcomed(welcome),
      heard: (message) => this.#heard(message),
      forgives: ({ error }) => error?.code === 'SESSION_NOT_FOUND' && mayAppear(),
      changed: (status) => {
        this.#emitter.emit('status', status);
        if (status.state === 'closed') this.#wake();
      },
    });
  }

  /** Connects; `connect` does it, at once or as soon as the session is known. */
  start(session: string | undefined): void {
    this.#session ??= session;
    if (this.status.state !== 'closed') this.#link.start();
  }

  /** Does not wait for the next attempt; `connect` calls it when the producer has come back. */
  hurry(): void {
    this.#link.hurry();
  }

  get status(): Status {
    return this.#link.status;
  }

  /** The `seq` of the last insight that came, 0 before the first: `after` of another consumer that goes on here. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get counts(): ConsumerCounts {
    return { ...this.#counts, queued: this.#queue?.length ?? 0 };
  }

  /** Calls `listener` on every event of the type from now on; returns what ends that. */
  on<K extends keyof ConsumerEvents>(type: K, listener: (event: ConsumerEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Resolves once it is live. @throws UndertoneError when it is closed before. */
  ready(): Promise<void> {
    return untilLive(this);
  }

  /** Resolves with the last status once it is closed for good. */
  ended(): Promise<Status & { readonly state: 'closed' }> {
    return untilClosed(this);
  }

  /**
   * The insights that come from this call on: made in the same tick as `connect`, all of them. When whoever reads is slow, at
   * most `maxQueued` wait; then those that were replaced go, and if that is not enough the connection pauses and later goes
   * on where it was. Ends when the session does; throws the UndertoneError when the connection is closed with one. To leave
   * the loop closes nothing.
   * @throws TypeError when another loop is going on.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Insight, void, undefined> {
    if (this.#queue) throw new TypeError('only one loop at a time can read the insights');
    this.#queue = new InsightQueue(this.#maxQueued);
    return this.#read(this.#queue);
  }

  /** Closes for good, with an error where there is one; what waits can still be read. */
  close(error?: UndertoneError): void {
    this.#link.send({ type: 'bye' });
    this.#link.close(error);
  }

  async *#read(queue: InsightQueue): AsyncGenerator<Insight, void, undefined> {
    try {
      for (;;) {
        const insight = queue.shift();
        if (insight) {
          if (this.#isPaused && queue.length <= this.#maxQueued / 2) this.#unpause();
          yield insight;
        } else if (this.status.state === 'closed') {
          if (this.status.error) throw this.status.error;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      this.#queue = undefined;
      if (this.#isPaused) this.#unpause();
    }
  }

  #hello(): ConsumerHello {
    this.#askedAfter = this.#lastSeq;
    return {
      type: 'hello',
      v: 1,
      ...(this.#session !== undefined && { session: this.#session }),
      ...(this.#lastSeq > 0 && { after: this.#lastSeq }),
    };
  }

  #welcomed(welcome: ProducerWelcome | ConsumerWelcome): 'live' | 'resumed' | undefined {
    if (!isConsumerWelcome(welcome)) return undefined;
    // A session that was made again under the same name may have the same epoch, but not yet the `seq` that we have.
    const isNew = this.#epoch !== welcome.epoch || welcome.nextSeq <= this.#askedAfter;
    const wasKnown = this.#epoch !== undefined;
    this.#session = welcome.session;
    this.#epoch = welcome.epoch;
    if (!isNew) return 'resumed';
    if (wasKnown || welcome.nextSeq <= this.#askedAfter) this.#beginAnew(welcome);
    return 'live';
  }

  /** The server counts from 1 again: what we asked for was of another count, so we ask once more. */
  #beginAnew({ nextSeq }: ConsumerWelcome): void {
    this.#lastSeq = 0;
    if (this.#askedAfter === 0 || nextSeq === 1) return;
    this.#epoch = undefined;
    this.#link.pause();
    this.#link.start();
  }

  #heard(message: ServerMessage): void {
    if (isInsight(message)) return this.#take(message);
    if (message.type === 'missed') {
      this.#counts.missed += Math.max(0, message.toSeq - message.fromSeq + 1);
      this.#lastSeq = Math.max(this.#lastSeq, message.toSeq);
      this.#emitter.emit('missed', message);
    } else if (message.type === 'goaway') this.#emitter.emit('goaway', message);
    else if (message.type === 'error' && !message.isFatal) this.#emitter.emit('error', message);
  }

  #take(insight: Insight): void {
    if (insight.seq <= this.#lastSeq) {
      this.#counts.duplicates++;
      return;
    }
    this.#lastSeq = insight.seq;
    this.#counts.received++;
    this.#counts.coalesced += this.#queue?.push(insight) ?? 0;
    this.#emitter.emit('insight', insight);
    this.#wake();
    if (!this.#queue?.isFull) return;
    this.#isPaused = true;
    this.#link.pause();
  }

  #unpause(): void {
    this.#isPaused = false;
    if (this.status.state !== 'closed') this.#link.start();
  }
}
