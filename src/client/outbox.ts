import type { LiveLimits, ProducerMessage, StreamDeclaration, StreamPosition } from '../protocol/live.ts';
import { createDropCounter, type Drop, type DropCounter, type DropReason } from './drops.ts';
import type { Endpoint } from './options.ts';
import { createPace, type Pace } from './pace.ts';
import { isNotice, Ring, type Losses } from './ring.ts';

/** How long to wait before looking again whether the socket or the pace lets more through; sockets do not tell. */
const POLL_MS = 20;

/** Where an outbox sends to. */
export type Outlet = {
  readonly isLive: boolean;
  readonly bufferedAmount: number;
  send(message: Uint8Array | string): boolean;
};

/** What is offered to an outbox; `encode` makes the message once its number is known. */
export type Offer = {
  readonly streamId: string;
  readonly kind: StreamDeclaration['kind'];
  readonly endMs: number;
  readonly encode: (sequence: number) => Uint8Array | string;
};

/** How much was sent, what of it again, and what was dropped and why, in messages. */
export type ProducerCounts = {
  readonly sent: number;
  readonly resent: number;
  /** Waiting, or sent and not yet used by the server. */
  readonly kept: number;
  readonly keptBytes: number;
  readonly dropped: readonly Drop[];
};

/** How many times `highWaterBytes` may wait in the socket before a kind is dropped; sound and words wait instead. */
const DROP_AT: Readonly<Record<StreamDeclaration['kind'], number>> = {
  video: 1,
  face: 2,
  body: 2,
  audio: Infinity,
  captions: Infinity,
};

/** Sends media in order, at the pace the server allows, and keeps it until the server has used it. */
export class Outbox {
  readonly #outlet: Outlet;
  readonly #endpoint: Endpoint;
  readonly #highWaterBytes: number;
  readonly #ring: Ring;
  readonly #drops: DropCounter;
  readonly #onEmpty: () => void;
  readonly #onEnded: (streamId: string) => void;
  #limits: LiveLimits | undefined;
  #pace: Pace | undefined;
  #sent = 0;
  #resent = 0;
  /** Per stream the number after the highest that was ever sent. */
  readonly #reached = new Map<string, number>();
  #cancelPoll: (() => void) | undefined;
  /** Shared by all who wait until nothing waits any more. */
  #drained: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(
    outlet: Outlet,
    endpoint: Endpoint,
    {
      maxRingBytes,
      highWaterBytes,
      onDrop,
      onEmpty,
      onEnded,
    }: {
      readonly maxRingBytes: number;
      readonly highWaterBytes: number;
      readonly onDrop: (drop: Drop) => void;
      /** Called when nothing waits any more. */
      readonly onEmpty: () => void;
      /** Called when the server has used all of a stream that was told to be over. */
      readonly onEnded: (streamId: string) => void;
    },
  ) {
    this.#outlet = outlet;
    this.#endpoint = endpoint;
    this.#highWaterBytes = highWaterBytes;
    this.#ring = new Ring(maxRingBytes);
    this.#drops = createDropCounter(onDrop);
    this.#onEmpty = onEmpty;
    this.#onEnded = onEnded;
  }

  get counts(): ProducerCounts {
    const { length: kept, sizeBytes: keptBytes } = this.#ring;
    return { sent: this.#sent, resent: this.#resent, kept, keptBytes, dropped: this.#drops.totals() };
  }

  /** Resolves when nothing waits to be sent, or nothing will be any more. */
  drained(): Promise<void> {
    if (!this.#ring.peek()) return Promise.resolve();
    this.#drained ??= toDeferred();
    return this.#drained.promise;
  }

  /** The limits of the server, once it has said them. */
  get limits(): LiveLimits | undefined {
    return this.#limits;
  }

  /** Counts something that is not sent. */
  drop(streamId: string, reason: DropReason, count = 1): void {
    this.#drops.add(streamId, reason, count);
  }

  /** Sends or keeps what is offered; false when it was dropped. */
  offer({ streamId, kind, endMs, encode }: Offer): boolean {
    if (this.#outlet.bufferedAmount > this.#highWaterBytes * DROP_AT[kind])
      return this.#refuse(streamId, 'backpressure');
    const sequence = this.#ring.nextSequence(streamId);
    const message = encode(sequence);
    const sizeBytes = sizeOf(message);
    if (sizeBytes > this.#mostBytes(message)) return this.#refuse(streamId, 'too_big');
    this.#count(this.#ring.append({ streamId, kind, sequence, endMs, message, sizeBytes }), 'ring_full');
    this.pump();
    return true;
  }

  /** Sends what the server is told of a stream after all that was given of it, and before what will be. */
  tell(streamId: string, message: ProducerMessage): void {
    const text = JSON.stringify(message);
    const kind = message.type === 'close' ? 'end' : 'notice';
    const sequence = this.#ring.nextSequence(streamId);
    this.#ring.append({ streamId, kind, sequence, endMs: 0, message: text, sizeBytes: sizeOf(text) });
    this.pump();
  }

  /** The server has taken us up: `isNew` when it knows nothing of what went before. To be followed by `pump`. */
  welcomed(
    isNew: boolean,
    {
      streams,
      limits,
      ringMs,
    }: { readonly streams: readonly StreamPosition[]; readonly limits: LiveLimits; readonly ringMs: number },
  ): void {
    this.#limits = limits;
    this.#pace = createPace(limits, this.#endpoint.now);
    this.#ring.keep(ringMs);
    if (isNew) {
      this.#count(this.#ring.clear(), 'new_epoch');
      this.#reached.clear();
    } else {
      this.#count(this.#ring.rewind(streams), 'ring_full');
      this.#forgetEnded();
    }
  }

  /** Forgets what the server has used. */
  acked(streams: readonly StreamPosition[]): void {
    this.#ring.ack(streams);
    this.#forgetEnded();
    this.pump();
  }

  /** Erases what is kept of streams that nobody may have any more. */
  erase(streamIds: ReadonlySet<string>): void {
    this.#count(this.#ring.erase(streamIds), 'consent');
  }

  /** Sends what waits, as far as socket and pace let it; looks again later when something is left. */
  pump(): void {
    for (let entry = this.#ring.peek(); entry; entry = this.#ring.peek()) {
      if (!this.#outlet.isLive) return;
      if (this.#outlet.bufferedAmount > this.#highWaterBytes || !this.#pace?.take(entry.sizeBytes)) return this.#poll();
      this.#outlet.send(entry.message);
      this.#ring.shift();
      if (!isNotice(entry)) this.#tally(entry.streamId, entry.sequence);
    }
    this.#settle();
    this.#onEmpty();
  }

  /** Gives up what is kept, counts what was never sent, and waits for nothing any more. */
  end(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    this.#count(this.#ring.waiting(), 'closed');
    this.#ring.clear();
    this.#settle();
  }

  #forgetEnded(): void {
    for (const streamId of this.#ring.takeEnded()) {
      this.#reached.delete(streamId);
      this.#onEnded(streamId);
    }
  }

  #settle(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #tally(streamId: string, sequence: number): void {
    const reached = this.#reached.get(streamId) ?? 0;
    this.#sent++;
    if (sequence < reached) this.#resent++;
    else this.#reached.set(streamId, sequence + 1);
  }

  #poll(): void {
    this.#cancelPoll ??= this.#endpoint.schedule(() => {
      this.#cancelPoll = undefined;
      this.pump();
    }, POLL_MS);
  }

  #refuse(streamId: string, reason: DropReason): false {
    this.drop(streamId, reason);
    return false;
  }

  #count(losses: Losses, reason: DropReason): void {
    for (const [streamId, count] of losses) this.#drops.add(streamId, reason, count);
  }

  #mostBytes(message: Uint8Array | string): number {
    const { maxFrameBytes = Infinity, maxMessageBytes = Infinity } = this.#limits ?? {};
    return typeof message === 'string' ? maxMessageBytes : maxFrameBytes;
  }
}

function sizeOf(message: Uint8Array | string): number {
  return typeof message === 'string' ? new TextEncoder().encode(message).length : message.length;
}

function toDeferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
