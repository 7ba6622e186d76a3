import type { MissingReason } from '../../domain/modality.ts';
import type { SightlessMessage, StreamPosition, StreamState, TranscriptMessage } from '../../protocol/live.ts';
import type { MediaFrame } from '../../protocol/mediaFrame.ts';
import type { AudioDecoder } from './decodeAudio.ts';
import {
  createIngestStream,
  type IngestStream,
  type Piece,
  type SaidBy,
  type StreamEntry,
  type Taken,
  toPiece,
} from './ingestStream.ts';
import type { SourceEvent, TimedEvent } from './sourceEvent.ts';

/** Times in ms of wall time. */
export type IngestSettings = {
  /** A stream from which nothing came for so long does not keep the others waiting; nor do they keep anything but sound. */
  readonly holdMs: number;
  /** Nor does a stream whose media time is so far behind theirs. */
  readonly maxLagMs: number;
  /** A stream from which nothing came for so long has stalled. */
  readonly stallMs: number;
};

/** Streams wait 300 ms for one another, 2 s behind at most; sound or rows that stay away 800 ms have stalled. */
export const DEFAULT_INGEST: IngestSettings = { holdMs: 300, maxLagMs: 2_000, stallMs: 800 };

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
  has(streamId: string): boolean;
  frame(producer: string, frame: MediaFrame, nowMs: number): readonly Refusal[];
  transcript(message: TranscriptMessage, nowMs: number, said?: SaidBy): readonly Refusal[];
  sightless(message: SightlessMessage, nowMs: number): readonly Refusal[];
  setState(streamId: string, state: StreamState): void;
  setRefused(streamId: string, reason: MissingReason | undefined): void;
  changeFormat(streamId: string, decoder: AudioDecoder): void;
  disconnect(producer: string): void;
  reconnect(producer: string, nowMs: number): void;
  /** Something else that happens now. */
  tell(event: TimedEvent['event']): void;
  tick(nowMs: number): void;
  /** What is in order by now; call it after every other call. */
  drain(nowMs: number): readonly SourceEvent[];
  positions(producer: string): readonly StreamPosition[];
  /** The end: everything that still waits, and the closing of every stream. */
  end(reason: MissingReason): readonly SourceEvent[];
  readonly clockMs: number;
  streams(): Iterable<IngestStream>;
};

/** `rank`: of its stream, in order of opening; `order`: of arrival. */
type Pending = TimedEvent & { readonly rank: number; readonly order: number; readonly sinceMs: number };

/** Returns the ingest of a session without streams. */
export function createIngest(settings: IngestSettings = DEFAULT_INGEST): Ingest {
  const streams = new Map<string, IngestStream>();
  const ranks = new Map<string, number>();
  const gone = new Set<string>();
  let pending: Pending[] = [];
  let out: SourceEvent[] = [];
  let clockMs = 0;
  let order = 0;
  let opened = 0;
  let releasedAtMs: number | undefined;

  const emit = ({ event, atMs }: TimedEvent): void => {
    clockMs = Math.max(clockMs, atMs);
    out.push({ ...event, arrivalMs: clockMs });
  };
  const tell = (event: TimedEvent['event']): void => emit({ event, atMs: clockMs });
  const interrupt = (stream: IngestStream, reason: MissingReason): void => {
    if (stream.interruption === reason) return;
    stream.interruption = reason;
    tell({ type: 'streamInterrupted', streamId: stream.entry.declaration.streamId, reason });
  };
  const restore = (stream: IngestStream): void => {
    if (stream.interruption === undefined) return;
    stream.interruption = undefined;
    tell({ type: 'streamRestored', streamId: stream.entry.declaration.streamId });
  };
  const take = (stream: IngestStream, { events, problems }: Taken, nowMs: number): readonly Refusal[] => {
    if (stream.state === 'live' && !gone.has(stream.entry.producer)) restore(stream);
    const { streamId } = stream.entry.declaration;
    const rank = ranks.get(streamId) ?? 0;
    for (const timed of events) pending.push({ ...timed, rank, order: order++, sinceMs: nowMs });
    return problems.map((rule) => ({ code: 'BAD_FRAME', streamId, rule }));
  };
  const accept = (stream: IngestStream, piece: Piece, nowMs: number): readonly Refusal[] =>
    take(stream, stream.accept(piece, nowMs), nowMs);

  /** The time up to which every stream of sound that delivers has been heard; Infinity when there is none to wait for. */
  const watermark = (nowMs: number): number => {
    const heard = [...streams.values()]
      .filter(({ entry, interruption }) => entry.declaration.kind === 'audio' && interruption === undefined)
      .filter(({ heardAtMs }) => nowMs - heardAtMs < settings.holdMs)
      .map(({ usedMs }) => usedMs);
    return heard.length === 0 ? Infinity : Math.max(Math.min(...heard), Math.max(...heard) - settings.maxLagMs);
  };
  /** What a producer that is away sent last waits for what follows it: it may come back. */
  const isAway = ({ event }: Pending): boolean =>
    'streamId' in event && streams.get(event.streamId ?? '')?.interruption === 'disconnected';
  const release = (isDue: (one: Pending) => boolean): void => {
    const due = pending.filter(isDue).sort((a, b) => a.atMs - b.atMs || a.rank - b.rank || a.order - b.order);
    if (due.length === 0) return;
    pending = pending.filter((one) => !isDue(one));
    due.forEach(emit);
  };

  return {
    open: (entry, nowMs) => {
      const { streamId, kind } = entry.declaration;
      streams.set(streamId, createIngestStream(entry, nowMs));
      ranks.set(streamId, opened++);
      tell({ type: 'streamOpened', streamId, kind, ...(entry.speaker && { speaker: entry.speaker }) });
    },
    close: (streamId, reason) => {
      const stream = streams.get(streamId);
      if (!stream) return;
      const own = (one: Pending): boolean => 'streamId' in one.event && one.event.streamId === streamId;
      release(own);
      tell({ type: 'streamClosed', streamId, reason });
      stream.close();
      streams.delete(streamId);
      ranks.delete(streamId);
    },
    has: (streamId) => streams.has(streamId),
    frame: (producer, frame, nowMs) => {
      const stream = [...streams.values()].find(
        ({ entry }) => entry.declaration.number === frame.number && entry.producer === producer,
      );
      if (!stream) return [{ code: 'UNKNOWN_STREAM', rule: `no stream has the number ${frame.number}` }];
      return accept(stream, toPiece(frame), nowMs);
    },
    sightless: ({ streamId, sequence, atMs, reason }, nowMs) => {
      const stream = streams.get(streamId);
      if (stream?.entry.declaration.kind !== 'face' && stream?.entry.declaration.kind !== 'body')
        return [{ code: 'UNKNOWN_STREAM', streamId, rule: 'no stream of faces or bodies has this id' }];
      return accept(stream, { sequence, startMs: atMs, sightless: reason }, nowMs);
    },
    transcript: (message, nowMs, said = {}) => {
      const stream = streams.get(message.streamId);
      if (stream?.entry.declaration.kind !== 'captions')
        return [{ code: 'UNKNOWN_STREAM', streamId: message.streamId, rule: 'no captions stream has this id' }];
      const { sequence, startMs } = message;
      return accept(stream, { sequence, startMs, transcript: message, ...said }, nowMs);
    },
    setState: (streamId, state) => {
      const stream = streams.get(streamId);
      if (!stream) return;
      stream.state = state;
      if (state === 'live') restore(stream);
      else interrupt(stream, state);
    },
    setRefused: (streamId, reason) => {
      const stream = streams.get(streamId);
      if (stream) stream.refused = reason;
    },
    changeFormat: (streamId, decoder) => streams.get(streamId)?.changeFormat(decoder),
    disconnect: (producer) => {
      gone.add(producer);
      for (const stream of streams.values()) if (stream.entry.producer === producer) interrupt(stream, 'disconnected');
    },
    reconnect: (producer, nowMs) => {
      gone.delete(producer);
      for (const stream of streams.values()) {
        if (stream.entry.producer !== producer) continue;
        stream.heardAtMs = nowMs;
        if (stream.state === 'live') restore(stream);
        else interrupt(stream, stream.state);
      }
    },
    tell,
    tick: (nowMs) => {
      for (const stream of streams.values()) {
        if (gone.has(stream.entry.producer)) continue;
        const { events, problems } = stream.advance(nowMs);
        if (events.length > 0 || problems.length > 0) take(stream, { events, problems }, nowMs);
        const isExpected = stream.state === 'live' && stream.entry.declaration.kind !== 'captions';
        if (isExpected && stream.interruption === undefined && nowMs - stream.heardAtMs >= settings.stallMs)
          interrupt(stream, 'stalled');
      }
      const isQuiet = pending.length === 0 && releasedAtMs !== undefined && nowMs - releasedAtMs >= 1_000;
      if (!isQuiet || [...streams.values()].every(({ interruption }) => interruption === undefined)) return;
      emit({ event: { type: 'time' }, atMs: clockMs + nowMs - (releasedAtMs ?? nowMs) });
      releasedAtMs = nowMs;
    },
    drain: (nowMs) => {
      const heardMs = watermark(nowMs);
      const isHeld = ({ event, sinceMs }: Pending): boolean =>
        event.type === 'audio' || nowMs - sinceMs < settings.holdMs;
      release((one) => !isAway(one) && (one.atMs <= heardMs || !isHeld(one)));
      if (out.length > 0) releasedAtMs = nowMs;
      const drained = out;
      out = [];
      return drained;
    },
    positions: (producer) =>
      [...streams.values()].filter(({ entry }) => entry.producer === producer).map((stream) => stream.position()),
    end: (reason) => {
      release(() => true);
      for (const [streamId, stream] of streams) {
        tell({ type: 'streamClosed', streamId, reason });
        stream.close();
      }
      streams.clear();
      const drained = out;
      out = [];
      return drained;
    },
    get clockMs() {
      return clockMs;
    },
    streams: () => streams.values(),
  };
}
