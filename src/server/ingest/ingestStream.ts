import type { MissingReason, SightlessReason } from '../../domain/modality.ts';
import type { StreamOpened } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';
import type { StreamDeclaration, StreamPosition, StreamState, TranscriptMessage } from '../../protocol/live.ts';
import type { MediaFrame } from '../../protocol/mediaFrame.ts';
import type { AudioDecoder } from './decodeAudio.ts';
import { type AudioPlacer, createAudioPlacer } from './placeAudio.ts';
import { readPicture, readRow, readSightless, readTranscript } from './readPiece.ts';
import { createSequencer, DEFAULT_SEQUENCER, type Sequenced, type Sequencer } from './sequencer.ts';
import type { TimedEvent } from './sourceEvent.ts';

/** What a stream is opened with. `offsetMs`: session clock at media time 0 of its producer. */
export type StreamEntry = {
  readonly producer: string;
  readonly declaration: StreamDeclaration;
  readonly offsetMs: number;
  readonly speaker?: Speaker;
  /** Why what it carries may not be used: its media is let go unread. */
  readonly refused?: MissingReason;
  /** Needed for sound. */
  readonly decoder?: AudioDecoder;
};

/** A piece of a stream: a media frame, a transcript, or why a picture gave no row. */
export type Piece = { readonly sequence: number; readonly startMs: number } & (
  | { readonly payload: Uint8Array }
  | { readonly sightless: SightlessReason }
  | ({ readonly transcript: TranscriptMessage } & SaidBy)
);

/** Who said words, when the stream is not theirs alone; and whether they may not be read. */
export type SaidBy = { readonly speaker?: Speaker; readonly isUnread?: boolean };

/** What pieces gave: events, and what was wrong with some of them. */
export type Taken = { readonly events: readonly TimedEvent[]; readonly problems: readonly string[] };

/** One stream of a producer. */
export type IngestStream = {
  readonly entry: StreamEntry;
  /** Its place in the order of opening. */
  readonly rank: number;
  state: StreamState;
  refused: MissingReason | undefined;
  /** Whether there is no time for what it carries: it is let go unread. */
  isShed: boolean;
  /** Why it delivers nothing at the moment. */
  interruption: MissingReason | undefined;
  /** Wall time at which something came last. */
  heardAtMs: number;
  accept(piece: Piece, nowMs: number): Taken;
  advance(nowMs: number): Taken;
  changeFormat(decoder: AudioDecoder): void;
  position(): StreamPosition;
  /** How far it was used, on the session clock. */
  readonly usedMs: number;
  readonly counts: { readonly duplicates: number; readonly reordered: number; readonly driftPpm: number };
  readonly close: () => void;
};

const NOTHING: Taken = { events: [], problems: [] };

/** Returns a stream that has received nothing. */
export function createIngestStream(
  entry: StreamEntry,
  { rank, nowMs }: { readonly rank: number; readonly nowMs: number },
): IngestStream {
  const sequencer: Sequencer<Piece> = createSequencer(DEFAULT_SEQUENCER, bytesOf);
  const reader = createPieceReader(entry);
  const { streamId } = entry.declaration;
  const take = (out: readonly Sequenced<Piece>[], isRefused: boolean): Taken => {
    if (out.length === 0) return NOTHING;
    const events: TimedEvent[] = [];
    const problems: string[] = [];
    for (const one of out) {
      const read = one.type === 'gap' ? reader.skip(one.toMs) : reader.read(one.item, isRefused);
      if (typeof read === 'object') events.push(read);
      else if (typeof read === 'string') problems.push(read);
    }
    return { events, problems };
  };
  const isUnread = (): boolean => stream.refused !== undefined || stream.isShed;
  const stream: IngestStream = {
    entry,
    rank,
    state: 'live',
    refused: entry.refused,
    isShed: false,
    interruption: undefined,
    heardAtMs: nowMs,
    accept: (piece, atMs) => {
      stream.heardAtMs = atMs;
      return take(sequencer.accept(piece, atMs), isUnread());
    },
    advance: (atMs) => take(sequencer.advance(atMs), isUnread()),
    changeFormat: reader.changeFormat,
    position: () => ({ streamId, nextSequence: sequencer.next, mediaMs: reader.mediaMs }),
    get usedMs() {
      return entry.offsetMs + reader.mediaMs;
    },
    get counts() {
      const { duplicates, reordered } = sequencer;
      return { duplicates, reordered, driftPpm: reader.driftPpm() };
    },
    close: reader.close,
  };
  return stream;
}

/** What a piece that says that nothing was seen keeps of memory. */
const SIGHTLESS_BYTES = 64;

/** What a piece keeps of memory, more or less; text has two bytes a character at most. */
function bytesOf(piece: Piece): number {
  if ('payload' in piece) return piece.payload.length;
  return 'transcript' in piece ? 2 * JSON.stringify(piece.transcript).length : SIGHTLESS_BYTES;
}

/** Reads the pieces of one stream, which come in order. */
type PieceReader = {
  /** An event, the rule that the piece breaks, or nothing when there is nothing to tell. */
  read(piece: Piece, isRefused: boolean): TimedEvent | string | undefined;
  /** Pieces that never came: a gap up to `toMs`. */
  skip(toMs: number): TimedEvent;
  readonly changeFormat: (decoder: AudioDecoder) => void;
  /** Media time up to which was read. */
  readonly mediaMs: number;
  driftPpm(): number;
  readonly close: () => void;
};

function createPieceReader(entry: StreamEntry): PieceReader {
  const { declaration, offsetMs } = entry;
  const { streamId } = declaration;
  let decoder = entry.decoder;
  let placer: AudioPlacer | undefined = decoder && createAudioPlacer(decoder);
  let mediaMs = 0;
  const readAudio = (startMs: number, payload: Uint8Array): TimedEvent | string | undefined => {
    const placed = placer?.place(startMs, payload);
    if (!placed?.ok) return placed?.rule ?? 'captions have no media frames';
    mediaMs = Math.max(mediaMs, placed.endMs);
    if (placed.samples.length === 0) return undefined;
    const event = { type: 'audio', streamId, startMs: offsetMs + placed.startMs, samples: placed.samples } as const;
    return { atMs: offsetMs + placed.endMs, event };
  };
  return {
    read: (piece, isRefused) => {
      mediaMs = Math.max(mediaMs, piece.startMs);
      if (isRefused || ('transcript' in piece && piece.isUnread)) return undefined;
      if ('transcript' in piece) return readTranscript(piece.transcript, entry, piece.speaker);
      const place = { streamId, atMs: offsetMs + piece.startMs };
      if ('sightless' in piece) return readSightless(piece.sightless, declaration, place);
      if (declaration.kind === 'face' || declaration.kind === 'body')
        return readRow(piece.payload, declaration.kind, place);
      return declaration.kind === 'video' ? readPicture(piece.payload, place) : readAudio(piece.startMs, piece.payload);
    },
    skip: (toMs) => {
      const startMs = offsetMs + mediaMs;
      const endMs = Math.max(startMs, offsetMs + toMs);
      return { atMs: endMs, event: { type: 'gap', streamId, startMs, endMs, reason: 'late' } };
    },
    changeFormat: (next) => {
      decoder?.close();
      decoder = next;
      placer = createAudioPlacer(next);
    },
    get mediaMs() {
      return mediaMs;
    },
    driftPpm: () => placer?.driftPpm() ?? 0,
    close: () => decoder?.close(),
  };
}

/** Returns the piece of a media frame. */
export function toPiece({ sequence, mediaMs, payload }: MediaFrame): Piece {
  return { sequence, startMs: mediaMs, payload };
}

/** What is known of the sound of a stream: its rate as it is sent, and what is spoken. Nothing of other streams. */
export function soundOf(declaration: StreamDeclaration): Pick<StreamOpened, 'sampleRateHz' | 'language'> {
  if (declaration.kind !== 'audio') return {};
  const { format, language } = declaration;
  return { sampleRateHz: format.sampleRateHz, ...(language !== undefined && { language }) };
}
