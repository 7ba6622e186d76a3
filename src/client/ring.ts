import type { StreamDeclaration, StreamPosition } from '../protocol/live.ts';
import { addSequence, fromSequence, lengthOf, type SequenceRange } from './sequenceRanges.ts';

/**
 * What is kept of a stream until the server has used it: media, or in its place among the media a `notice` of the stream, or
 * its `end`. These two have the number of what follows them, and are never dropped by time.
 */
export type RingEntry = {
  readonly streamId: string;
  readonly kind: StreamDeclaration['kind'] | 'notice' | 'end';
  readonly sequence: number;
  readonly endMs: number;
  /** The whole message, ready to be sent. */
  readonly message: Uint8Array | string;
  readonly sizeBytes: number;
};

/** How often each stream lost something. */
export type Losses = ReadonlyMap<string, number>;

/** What goes first when there is no room. */
const DROP_ORDER: readonly (readonly RingEntry['kind'][])[] = [['video'], ['face', 'body'], ['audio'], ['captions']];

/** Is it said of a stream, and no part of it? */
export function isNotice({ kind }: RingEntry): boolean {
  return kind === 'notice' || kind === 'end';
}

/**
 * Keeps what was sent and not yet used, and what waits to be sent, in the order of `append`, within `maxBytes` and, per
 * stream, within `maxMs` of its newest. What does not fit goes: the oldest of a stream by time; by bytes the oldest
 * pictures, then landmarks, then sound, then words.
 */
export class Ring {
  readonly #maxBytes: number;
  #maxMs: number;
  #entries: RingEntry[] = [];
  #sent = 0;
  #sizeBytes = 0;
  /** The number that the next entry of a stream has. */
  readonly #next = new Map<string, number>();
  /** Numbers that are gone and were told, of those that the server may still ask for. */
  readonly #told = new Map<string, readonly SequenceRange[]>();
  /** Streams that the server named once. */
  readonly #known = new Set<string>();
  #ended: string[] = [];

  constructor(maxBytes: number, maxMs: number = Infinity) {
    this.#maxBytes = maxBytes;
    this.#maxMs = maxMs;
  }

  get length(): number {
    return this.#entries.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Sets how much of each stream is kept, from the next `append` on. */
  keep(maxMs: number): void {
    this.#maxMs = maxMs;
  }

  nextSequence(streamId: string): number {
    return this.#next.get(streamId) ?? 0;
  }

  /** Adds an entry; returns what was never sent and never will be. Its `sequence` is `nextSequence` of its stream. */
  append(entry: RingEntry): Losses {
    this.#entries.push(entry);
    this.#sizeBytes += entry.sizeBytes;
    if (!isNotice(entry)) this.#next.set(entry.streamId, entry.sequence + 1);
    const lost = new Map<string, number>();
    this.#dropOld(entry, lost);
    while (this.#sizeBytes > this.#maxBytes) this.#dropAt(this.#leastWanted(), lost);
    return lost;
  }

  /** The first entry that waits to be sent. */
  peek(): RingEntry | undefined {
    return this.#entries[this.#sent];
  }

  /** Marks what `peek` gave as sent. */
  shift(): void {
    if (this.#sent < this.#entries.length) this.#sent++;
  }

  /** How much of each stream waits to be sent. */
  waiting(): Losses {
    const waiting = new Map<string, number>();
    for (const entry of this.#entries.slice(this.#sent))
      if (!isNotice(entry)) waiting.set(entry.streamId, (waiting.get(entry.streamId) ?? 0) + 1);
    return waiting;
  }

  /** Forgets what the server has used, of all streams that it has: one whose end was sent and that it has no more is over. */
  ack(positions: readonly StreamPosition[]): void {
    const used = new Map(positions.map(({ streamId, nextSequence }) => [streamId, nextSequence]));
    const ended = new Set<string>();
    for (const { kind, streamId } of this.#entries.slice(0, this.#sent))
      if (kind === 'end' && this.#known.has(streamId) && !used.has(streamId)) ended.add(streamId);
    this.#ended.push(...ended);
    this.#retain(({ streamId, sequence }) => !ended.has(streamId) && sequence >= (used.get(streamId) ?? 0));
    for (const streamId of used.keys()) this.#known.add(streamId);
    for (const [streamId, nextSequence] of used)
      this.#told.set(streamId, fromSequence(this.#told.get(streamId) ?? [], nextSequence));
  }

  /** The streams that are over since the last call, of which nothing is known any more. */
  takeEnded(): readonly string[] {
    const ended = this.#ended;
    this.#ended = [];
    for (const streamId of ended) for (const of of [this.#next, this.#told, this.#known]) of.delete(streamId);
    return ended;
  }

  /** After a resume: all that the server has not used waits again. Returns what it wants and is gone, if not yet told. */
  rewind(positions: readonly StreamPosition[]): Losses {
    this.ack(positions);
    this.#sent = 0;
    const lost = new Map<string, number>();
    for (const { streamId, nextSequence } of positions) {
      const holes = this.#holes(streamId, nextSequence);
      const fresh = lengthOf(holes) - lengthOf(this.#told.get(streamId) ?? []);
      if (fresh > 0) lost.set(streamId, fresh);
      this.#told.set(streamId, holes);
    }
    return lost;
  }

  /** Erases what is kept of the streams; returns how much it was. */
  erase(streamIds: ReadonlySet<string>): Losses {
    const erased = new Map<string, number>();
    const isErased = (entry: RingEntry): boolean => streamIds.has(entry.streamId) && !isNotice(entry);
    for (const entry of this.#entries) if (isErased(entry)) this.#tell(entry, erased);
    this.#retain((entry) => !isErased(entry));
    return erased;
  }

  /** Forgets everything, numbers too; returns how much of each stream that was. */
  clear(): Losses {
    const gone = this.erase(new Set(this.#next.keys()));
    this.#retain(() => false);
    this.#next.clear();
    this.#told.clear();
    this.#known.clear();
    return gone;
  }

  /** The numbers from `nextSequence` on that are not kept; what is kept of a stream is its newest, without a hole. */
  #holes(streamId: string, nextSequence: number): readonly SequenceRange[] {
    const oldest = this.#entries.find((entry) => entry.streamId === streamId && !isNotice(entry));
    const to = oldest?.sequence ?? this.nextSequence(streamId);
    return to > nextSequence ? [{ from: nextSequence, to }] : [];
  }

  #retain(isKept: (entry: RingEntry) => boolean): void {
    const before = this.#entries;
    this.#entries = before.filter(isKept);
    this.#sent = before.slice(0, this.#sent).filter(isKept).length;
    this.#sizeBytes = this.#entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  #dropOld({ streamId, endMs }: RingEntry, lost: Map<string, number>): void {
    let index = 0;
    for (let entry = this.#entries[index]; entry; entry = this.#entries[index]) {
      if (entry.streamId !== streamId || isNotice(entry)) index++;
      else if (entry.endMs < endMs - this.#maxMs) this.#dropAt(index, lost);
      else return;
    }
  }

  #leastWanted(): number {
    for (const kinds of DROP_ORDER) {
      const index = this.#entries.findIndex(({ kind }) => kinds.includes(kind));
      if (index >= 0) return index;
    }
    return 0;
  }

  #dropAt(index: number, lost: Map<string, number>): void {
    const [entry] = this.#entries.splice(index, 1);
    if (!entry) return;
    this.#sizeBytes -= entry.sizeBytes;
    if (index < this.#sent) this.#sent--;
    else if (!isNotice(entry)) this.#tell(entry, lost);
  }

  #tell({ streamId, sequence }: RingEntry, lost: Map<string, number>): void {
    lost.set(streamId, (lost.get(streamId) ?? 0) + 1);
    this.#told.set(streamId, addSequence(this.#told.get(streamId) ?? [], sequence));
  }
}
