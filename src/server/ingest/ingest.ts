import type { MissingReason } from '../../domain/modality.ts';
import type { StreamKind } from '../../domain/observation.ts';
import type { SightlessMessage, StreamPosition, StreamState, TranscriptMessage } from '../../protocol/live.ts';
import type { MediaFrame } from '../../protocol/mediaFrame.ts';
import type { AudioDecoder } from './decodeAudio.ts';
import { createHeldEvents, type HeldEvent, type HeldEvents } from './heldEvents.ts';
import {
  type IngestStream,
  type Piece,
  type SaidBy,
  soundOf,
  type StreamEntry,
  type Taken,
  toPiece,
} from './ingestStream.ts';
import { createInterruptions, type Interruptions } from './interruptions.ts';
import { createIngestStreams, type IngestStreams } from './ingestStreams.ts';
import type { SourceEvent, TimedEvent } from './sourceEvent.ts';
import { type WaitSettings, watermark } from './watermark.ts';

/** Times in ms of wall time. */
export type IngestSettings = WaitSettings & {
  /** A stream from which nothing came for so long has stalled. */
  readonly stallMs: number;
};

/** Streams wait 300 ms for one another, 1.5 s for one whose producer is away, 2 s behind at most; sound or rows that stay away 800 ms have stalled. */
export const DEFAULT_INGEST: IngestSettings = { holdMs: 300, awayMs: 1_500, maxLagMs: 2_000, stallMs: 800 };

/** A piece that was refused, and why; the session goes on. */
export type Refusal = {
  readonly code: 'UNKNOWN_STREAM' | 'BAD_FRAME';
  readonly streamId?: string;
  readonly rule: string;
};

/**
 * Brings what the producers of a session send into one order. `nowMs` is wall time, any origin, never back. What comes out
 * has the session clock for its time: the media time up to which all streams that deliver have been heard.
 */
export type Ingest = {
  open(entry: StreamEntry, nowMs: number): void;
  close(streamId: string, reason: MissingReason): void;
  find(streamId: string): IngestStream | undefined;
  frame(producer: string, frame: MediaFrame, nowMs: number): readonly Refusal[];
  transcript(message: TranscriptMessage, nowMs: number, said?: SaidBy): readonly Refusal[];
  sightless(message: SightlessMessage, nowMs: number): readonly Refusal[];
  setState(streamId: string, state: StreamState): void;
  setRefused(streamId: string, reason: MissingReason | undefined): void;
  changeFormat(streamId: string, decoder: AudioDecoder): void;
  /** Lets go unread, from now on, what streams of these kinds carry (`overload`), and reads the others again. */
  shed(kinds: ReadonlySet<StreamKind>): void;
  disconnect(producer: string): void;
  reconnect(producer: string, nowMs: number): void;
  /** Something else that happens now. */
  tell(event: TimedEvent['event']): void;
  tick(nowMs: number): void;
  /** What is in order by now; call it after every other call. */
  drain(nowMs: number): readonly SourceEvent[];
  positions(producer: string): readonly StreamPosition[];
  /** How far the stream of a producer that was used furthest was used, on the session clock; 0 without any. */
  furthestMs(producer: string): number;
  /** The end: everything that still waits, and the closing of every stream. */
  end(reason: MissingReason): readonly SourceEvent[];
  readonly clockMs: number;
  streams(): readonly IngestStream[];
};

const NONE: readonly Refusal[] = [];

/** Returns the ingest of a session without streams. `latestMs`: how far the session clock may be at the moment. */
export function createIngest(
  settings: IngestSettings = DEFAULT_INGEST,
  latestMs: () => number = () => Infinity,
): Ingest {
  return new SessionIngest(settings, latestMs);
}

/** Owns the decoders of its streams; `close` and `end` give them back. */
class SessionIngest implements Ingest {
  readonly #settings: IngestSettings;
  readonly #streams: IngestStreams = createIngestStreams();
  readonly #events: HeldEvents;
  readonly #interruptions: Interruptions = createInterruptions((event) => this.tell(event));
  #shed: ReadonlySet<StreamKind> = new Set();
  #releasedAtMs: number | undefined;

  constructor(settings: IngestSettings, latestMs: () => number) {
    this.#settings = settings;
    this.#events = createHeldEvents(latestMs);
  }

  open(entry: StreamEntry, nowMs: number): void {
    const { declaration, speaker } = entry;
    const { streamId, kind } = declaration;
    this.#streams.add(entry, nowMs);
    this.tell({ type: 'streamOpened', streamId, kind, ...(speaker && { speaker }), ...soundOf(declaration) });
    if (this.#shed.size > 0) this.shed(this.#shed);
  }

  close(streamId: string, reason: MissingReason): void {
    const stream = this.find(streamId);
    if (!stream) return;
    this.#events.release(({ event }) => 'streamId' in event && event.streamId === streamId);
    this.tell({ type: 'streamClosed', streamId, reason });
    this.#streams.remove(stream);
  }

  find(streamId: string): IngestStream | undefined {
    return this.#streams.byId(streamId);
  }

  frame(producer: string, frame: MediaFrame, nowMs: number): readonly Refusal[] {
    const stream = this.#streams.byNumber(frame.number);
    if (stream?.entry.producer !== producer)
      return [{ code: 'UNKNOWN_STREAM', rule: `no stream has the number ${frame.number}` }];
    return this.#accept(stream, toPiece(frame), nowMs);
  }

  transcript(message: TranscriptMessage, nowMs: number, said: SaidBy = {}): readonly Refusal[] {
    const { streamId, sequence, startMs } = message;
    const stream = this.find(streamId);
    if (stream?.entry.declaration.kind !== 'captions')
      return [{ code: 'UNKNOWN_STREAM', streamId, rule: 'no captions stream has this id' }];
    return this.#accept(stream, { sequence, startMs, transcript: message, ...said }, nowMs);
  }

  sightless({ streamId, sequence, atMs, reason }: SightlessMessage, nowMs: number): readonly Refusal[] {
    const stream = this.find(streamId);
    const kind = stream?.entry.declaration.kind;
    if (!stream || (kind !== 'face' && kind !== 'body'))
      return [{ code: 'UNKNOWN_STREAM', streamId, rule: 'no stream of faces or bodies has this id' }];
    return this.#accept(stream, { sequence, startMs: atMs, sightless: reason }, nowMs);
  }

  setState(streamId: string, state: StreamState): void {
    const stream = this.find(streamId);
    if (!stream) return;
    stream.state = state;
    this.#interruptions.follow(stream);
  }

  setRefused(streamId: string, reason: MissingReason | undefined): void {
    const stream = this.find(streamId);
    if (stream) stream.refused = reason;
  }

  changeFormat(streamId: string, decoder: AudioDecoder): void {
    this.find(streamId)?.changeFormat(decoder);
  }

  shed(kinds: ReadonlySet<StreamKind>): void {
    this.#shed = kinds;
    for (const stream of this.#streams.all()) {
      const { producer, declaration } = stream.entry;
      const isShed = kinds.has(declaration.kind);
      if (isShed === stream.isShed) continue;
      stream.isShed = isShed;
      if (!this.#interruptions.isLost(producer)) this.#interruptions.follow(stream);
    }
  }

  disconnect(producer: string): void {
    this.#interruptions.lose(producer, this.#streams.of(producer));
  }

  reconnect(producer: string, nowMs: number): void {
    const own = this.#streams.of(producer);
    for (const stream of own) stream.heardAtMs = nowMs;
    this.#interruptions.find(producer, own);
  }

  tell(event: TimedEvent['event']): void {
    this.#events.emit({ event, atMs: this.clockMs });
  }

  tick(nowMs: number): void {
    for (const stream of this.#streams.all()) {
      if (this.#interruptions.isLost(stream.entry.producer)) continue;
      const taken = stream.advance(nowMs);
      if (taken.events.length > 0 || taken.problems.length > 0) this.#take(stream, taken, nowMs);
      const isExpected = stream.state === 'live' && stream.entry.declaration.kind !== 'captions';
      const isSilent = nowMs - stream.heardAtMs >= this.#settings.stallMs;
      if (isExpected && isSilent && stream.interruption === undefined) this.#interruptions.interrupt(stream, 'stalled');
    }
    this.#passTime(nowMs);
  }

  drain(nowMs: number): readonly SourceEvent[] {
    const { holdMs } = this.#settings;
    const heardMs = watermark(this.#streams.sounds(), this.#settings, nowMs);
    const isDue = (one: HeldEvent): boolean =>
      one.atMs <= heardMs || (one.event.type !== 'audio' && nowMs - one.sinceMs >= holdMs);
    const isAnybodyAway = this.#interruptions.isAnybodyLost;
    this.#events.release((one) => isDue(one) && !(isAnybodyAway && this.#isAway(one)));
    const drained = this.#events.take();
    if (drained.length > 0) this.#releasedAtMs = nowMs;
    return drained;
  }

  positions(producer: string): readonly StreamPosition[] {
    return this.#streams.of(producer).map((stream) => stream.position());
  }

  furthestMs(producer: string): number {
    let furthestMs = 0;
    for (const { usedMs } of this.#streams.of(producer)) furthestMs = Math.max(furthestMs, usedMs);
    return furthestMs;
  }

  end(reason: MissingReason): readonly SourceEvent[] {
    this.#events.release(() => true);
    for (const { entry } of this.#streams.all()) this.close(entry.declaration.streamId, reason);
    return this.#events.take();
  }

  get clockMs(): number {
    return this.#events.clockMs;
  }

  streams(): readonly IngestStream[] {
    return this.#streams.all();
  }

  #accept(stream: IngestStream, piece: Piece, nowMs: number): readonly Refusal[] {
    return this.#take(stream, stream.accept(piece, nowMs), nowMs);
  }

  #take(stream: IngestStream, { events, problems }: Taken, nowMs: number): readonly Refusal[] {
    const { entry, rank, state } = stream;
    if (state === 'live' && !this.#interruptions.isLost(entry.producer)) this.#interruptions.follow(stream);
    for (const { atMs, event } of events) this.#events.hold({ atMs, event, rank, sinceMs: nowMs });
    if (problems.length === 0) return NONE;
    return problems.map((rule) => ({ code: 'BAD_FRAME', streamId: entry.declaration.streamId, rule }));
  }

  /** What a producer that is away sent last waits for what follows it: it may come back. */
  #isAway({ event }: HeldEvent): boolean {
    return 'streamId' in event && this.find(event.streamId ?? '')?.interruption === 'disconnected';
  }

  /** While a stream is interrupted and nothing comes, the clock goes on all the same. */
  #passTime(nowMs: number): void {
    if (this.#events.size > 0 || this.#releasedAtMs === undefined || nowMs - this.#releasedAtMs < 1_000) return;
    if (this.#streams.all().every(({ interruption }) => interruption === undefined)) return;
    this.#events.emit({ event: { type: 'time' }, atMs: this.clockMs + nowMs - this.#releasedAtMs });
    this.#releasedAtMs = nowMs;
  }
}
