import type { SightlessReason } from '../../domain/modality.ts';
import type { Speaker } from '../../domain/speaker.ts';
import type { StreamDeclaration, TranscriptMessage } from '../../protocol/live.ts';
import type { TimedEvent } from './sourceEvent.ts';

/** Whose words a stream of captions carries, and the session clock at media time 0. */
export type Captions = {
  readonly declaration: StreamDeclaration;
  readonly offsetMs: number;
  readonly speaker?: Speaker;
};

/** Where in a session something was seen: in which stream, and when on the session clock. */
export type Place = { readonly streamId: string; readonly atMs: number };

const ROW_LENGTHS: Readonly<Record<'face' | 'body', number>> = { face: 52, body: 28 };

/** Returns the event of words, with their times on the session clock. `said`: who, when the stream is not theirs alone. */
export function readTranscript(message: TranscriptMessage, entry: Captions, said: Speaker | undefined): TimedEvent {
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

/** Returns the event of a row of a face or a body (docs/features.md), or the rule it breaks. */
export function readRow(
  payload: Uint8Array,
  modality: 'face' | 'body',
  { streamId, atMs }: Place,
): TimedEvent | string {
  const length = ROW_LENGTHS[modality];
  if (payload.length !== 4 * length) return `a row has ${length} numbers`;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const row = new Float32Array(length);
  let areInRange = true;
  for (let i = 0; i < length; i++) {
    const value = view.getFloat32(4 * i, true);
    row[i] = value;
    areInRange &&= Math.abs(value) <= 1_000;
  }
  if (!areInRange) return 'a row has numbers from -1,000 to 1,000';
  const isThere = row[length - 1] === 1;
  const reason = modality === 'face' ? 'no_face' : 'no_body';
  return { atMs, event: { type: 'visual', streamId, modality, atMs, ...(isThere ? { row } : { reason }) } };
}

/** Returns the event of a picture that gave no row, or the rule it breaks. */
export function readSightless(
  reason: SightlessReason,
  { kind }: StreamDeclaration,
  { streamId, atMs }: Place,
): TimedEvent | string {
  if (kind !== 'face' && kind !== 'body') return 'only streams of faces and bodies are sightless';
  return { atMs, event: { type: 'visual', streamId, modality: kind, atMs, reason } };
}

/** Returns the event of a JPEG picture, or the rule it breaks; whether it can be decoded is seen later. */
export function readPicture(jpeg: Uint8Array, { streamId, atMs }: Place): TimedEvent | string {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return 'not a JPEG picture';
  return { atMs, event: { type: 'picture', streamId, atMs, jpeg: jpeg.slice() } };
}
