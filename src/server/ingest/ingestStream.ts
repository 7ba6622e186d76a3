import type { MissingReason, SightlessReason } from '../../domain/modality.ts';
import type { Speaker } from '../../domain/speaker.ts';
import type { StreamDeclaration, StreamPosition, StreamState, TranscriptMessage } from '../../protocol/live.ts';
import type { MediaFrame } from '../../protocol/mediaFrame.ts';
import type { AudioDecoder } from './decodeAudio.ts';
import { type AudioPlacer, createAudioPlacer } from './placeAudio.ts';
import { createSequencer, type Sequenced, type Sequencer, type SequencerSettings } from './sequencer.ts';
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
  state: StreamState;
  refused: MissingReason | undefined;
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
  close(): void;
};

const ROW_LENGTHS: Readonly<Record<'face' | 'body', number>> = { face: 52, body: 28 };

/** Returns a stream that has received nothing. */
export function createIngestStream(entry: StreamEntry, nowMs: number, settings?: SequencerSettings): IngestStream {
  const { declaration, offsetMs } = entry;
  const { streamId } = declaration;
  const sequencer: Sequencer<Piece> = createSequencer(settings);
  let placer: AudioPlacer | undefined = entry.decoder && createAudioPlacer(entry.decoder);
  let decoder = entry.decoder;
  let mediaMs = 0;

  const read = (piece: Piece, isRefused: boolean): TimedEvent | string | undefined => {
    mediaMs = Math.max(mediaMs, piece.startMs);
    if (isRefused) return undefined;
    if ('transcript' in piece)
      return piece.isUnread ? undefined : readTranscript(piece.transcript, entry, piece.speaker);
    const atMs = offsetMs + piece.startMs;
    if (declaration.kind === 'face' || declaration.kind === 'body')
      return 'sightless' in piece
        ? { atMs, event: { type: 'visual', streamId, modality: declaration.kind, atMs, reason: piece.sightless } }
        : readRow(piece.payload, declaration.kind, { streamId, atMs });
    if ('sightless' in piece) return 'only streams of faces and bodies are sightless';
    if (declaration.kind === 'video') return readPicture(piece.payload, { streamId, atMs });
    const placed = placer?.place(piece.startMs, piece.payload);
    if (!placed?.ok) return placed?.rule ?? 'captions have no media frames';
    mediaMs = Math.max(mediaMs, placed.endMs);
    if (placed.samples.length === 0) return undefined;
    const event = { type: 'audio', streamId, startMs: offsetMs + placed.startMs, samples: placed.samples } as const;
    return { atMs: offsetMs + placed.endMs, event };
  };
  const take = (out: readonly Sequenced<Piece>[], stream: IngestStream): Taken => {
    const events: TimedEvent[] = [];
    const problems: string[] = [];
    for (const one of out) {
      if (one.type === 'gap') {
        const startMs = offsetMs + mediaMs;
        const endMs = Math.max(startMs, offsetMs + one.toMs);
        events.push({ atMs: endMs, event: { type: 'gap', streamId, startMs, endMs, reason: 'late' } });
        continue;
      }
      const result = read(one.item, stream.refused !== undefined);
      if (typeof result === 'string') problems.push(result);
      else if (result) events.push(result);
    }
    return { events, problems };
  };
  const stream: IngestStream = {
    entry,
    state: 'live',
    refused: entry.refused,
    interruption: undefined,
    heardAtMs: nowMs,
    accept: (piece, atMs) => {
      stream.heardAtMs = atMs;
      return take(sequencer.accept(piece, atMs), stream);
    },
    advance: (atMs) => take(sequencer.advance(atMs), stream),
    changeFormat: (next) => {
      decoder?.close();
      decoder = next;
      placer = createAudioPlacer(next);
    },
    position: () => ({ streamId, nextSequence: sequencer.next, mediaMs }),
    get usedMs() {
      return offsetMs + mediaMs;
    },
    get counts() {
      const { duplicates, reordered } = sequencer;
      return { duplicates, reordered, driftPpm: placer?.driftPpm() ?? 0 };
    },
    close: () => decoder?.close(),
  };
  return stream;
}

/** Returns the piece of a media frame. */
export function toPiece({ sequence, mediaMs, payload }: MediaFrame): Piece {
  return { sequence, startMs: mediaMs, payload };
}

function readTranscript(message: TranscriptMessage, entry: StreamEntry, said: Speaker | undefined): TimedEvent {
  const { offsetMs, declaration } = entry;
  const speaker = said ?? entry.speaker;
  const { streamId, text, language, words, isFinal } = message;
  const shift = <T extends { readonly startMs: number; readonly endMs: number }>(span: T): T => ({
    ...span,
    startMs: span.startMs + offsetMs,
    endMs: span.endMs + offsetMs,
  });
  const { startMs, endMs } = shift(message);
  const tag = language ?? (declaration.kind === 'captions' ? declaration.language : undefined);
  const common = { streamId, startMs, endMs, text, ...(speaker && { speaker }) };
  if (!isFinal) return { atMs: endMs, event: { type: 'interim', ...common } };
  const more = { ...(tag !== undefined && { language: tag }), ...(words && { words: words.map(shift) }) };
  return { atMs: endMs, event: { type: 'transcript', ...common, ...more } };
}

type Place = { readonly streamId: string; readonly atMs: number };

function readRow(payload: Uint8Array, modality: 'face' | 'body', { streamId, atMs }: Place): TimedEvent | string {
  const length = ROW_LENGTHS[modality];
  if (payload.length !== 4 * length) return `a row has ${length} numbers`;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const row = Float32Array.from({ length }, (_, i) => view.getFloat32(4 * i, true));
  if (!row.every((value) => Math.abs(value) <= 1_000)) return 'a row has numbers from -1,000 to 1,000';
  const isThere = row[length - 1] === 1;
  const reason = modality === 'face' ? 'no_face' : 'no_body';
  return { atMs, event: { type: 'visual', streamId, modality, atMs, ...(isThere ? { row } : { reason }) } };
}

function readPicture(jpeg: Uint8Array, { streamId, atMs }: Place): TimedEvent | string {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return 'not a JPEG picture';
  return { atMs, event: { type: 'picture', streamId, atMs, jpeg: jpeg.slice() } };
}
