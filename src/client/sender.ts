import type { SightlessReason } from '../domain/modality.ts';
import type { AudioFormat } from '../protocol/live.ts';
import { encodeMediaFrame, MEDIA_HEADER_BYTES } from '../protocol/mediaFrame.ts';
import { durationMs, toAudioParts } from './audioParts.ts';
import type { DropReason } from './drops.ts';
import type { MediaClock } from './mediaClock.ts';
import type { Outbox } from './outbox.ts';
import type { Roster, RosterStream } from './roster.ts';
import { toRowBytes, type Samples } from './samples.ts';
import { checkMediaMs, checkTranscript, mapTimes, type TranscriptOption } from './transcript.ts';

/** How far the clock may be ahead of the samples that were counted before there was a pause. */
const PAUSE_MS = 500;

type Span = { readonly startMs: number; readonly endMs: number };

/** Makes messages of what is seen, heard and said, and offers them to an outbox, unless there is a reason to drop them. */
export class Sender {
  readonly #roster: Roster;
  readonly #outbox: Outbox;
  readonly #clock: MediaClock;
  readonly #isOver: () => boolean;
  /** Per stream of sound, when what was sent of it ends. */
  readonly #endsMs = new Map<string, number>();

  /** `isOver`: whether nothing is sent any more. */
  constructor(roster: Roster, outbox: Outbox, clock: MediaClock, isOver: () => boolean) {
    this.#roster = roster;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#isOver = isOver;
  }

  /** Media time now: ms since the first `hello` that was welcomed; 0 before. */
  get mediaMs(): number {
    return this.#outbox.limits ? this.#clock.nowMs() : 0;
  }

  /** Samples follow none of those before: their stream ended, or, without an id, all times begin anew. */
  forget(streamId?: string): void {
    if (streamId === undefined) this.#endsMs.clear();
    else this.#endsMs.delete(streamId);
  }

  /** See `Producer`. */
  sendAudio(streamId: string, samples: Samples, mediaMs?: number): boolean {
    const stream = this.#streamOf(streamId, 'audio');
    const { declaration } = stream;
    if (declaration.kind !== 'audio' || declaration.format.encoding !== 'pcm16')
      throw new TypeError(`streamId must be that of a pcm16 stream, got ${JSON.stringify(streamId)}`);
    const { format } = declaration;
    if (samples.length % format.channels !== 0)
      throw new RangeError(`samples must hold all ${format.channels} channels, got ${samples.length} samples`);
    const lengthMs = durationMs(samples.length, format);
    const startMs = mediaMs ?? this.#followingMs(streamId, lengthMs);
    checkMediaMs('mediaMs', startMs);
    let isSent = true;
    const maxBytes = Math.min(this.#payloadBytes(), bytesPerSecond(format));
    for (const part of toAudioParts(samples, format, { startMs, maxBytes }))
      isSent = this.#send(stream, part.payload, part) && isSent;
    if (this.#outbox.limits) this.#endsMs.set(streamId, startMs + lengthMs);
    return isSent;
  }

  /** See `Producer`. */
  sendLandmarks(streamId: string, row: ArrayLike<number>, atMs: number): boolean {
    const stream = this.#streamOf(streamId, 'face', 'body');
    return this.#send(stream, toRowBytes(row), { startMs: atMs, endMs: atMs });
  }

  /** See `Producer`. */
  sendSightless(streamId: string, reason: SightlessReason, atMs: number): boolean {
    const stream = this.#streamOf(streamId, 'face', 'body');
    checkMediaMs('atMs', atMs);
    const wireMs = this.#clock.toWire(atMs);
    return this.#offer(stream, { startMs: wireMs, endMs: wireMs }, (sequence) =>
      JSON.stringify({ type: 'sightless', streamId, sequence, atMs: wireMs, reason }),
    );
  }

  /** See `Producer`. */
  sendMedia(streamId: string, payload: Uint8Array, mediaMs: number): boolean {
    return this.#send(this.#streamOf(streamId, 'audio', 'video'), payload, { startMs: mediaMs, endMs: mediaMs });
  }

  /** See `Producer`. */
  sendTranscript(streamId: string, transcript: TranscriptOption): boolean {
    const stream = this.#streamOf(streamId, 'captions');
    checkTranscript(transcript);
    const wire = mapTimes(transcript, (mediaMs) => this.#clock.toWire(mediaMs));
    return this.#offer(stream, wire, (sequence) => JSON.stringify({ ...wire, type: 'transcript', streamId, sequence }));
  }

  #streamOf(streamId: string, ...kinds: readonly string[]): RosterStream {
    const stream = this.#roster.stream(streamId);
    if (kinds.includes(stream.declaration.kind)) return stream;
    throw new TypeError(`streamId must be that of a stream of ${kinds.join(' or ')}, got ${JSON.stringify(streamId)}`);
  }

  #send(stream: RosterStream, payload: Uint8Array, at: Span): boolean {
    checkMediaMs('mediaMs', at.startMs);
    if (payload.length === 0) throw new RangeError('a frame must have content');
    const { number } = stream.declaration;
    const mediaMs = this.#clock.toWire(at.startMs);
    return this.#offer(stream, { startMs: mediaMs, endMs: this.#clock.toWire(at.endMs) }, (sequence) =>
      encodeMediaFrame({ number, sequence, mediaMs, payload }),
    );
  }

  #offer(stream: RosterStream, at: Span, encode: (sequence: number) => Uint8Array | string): boolean {
    const { streamId, kind } = stream.declaration;
    const reason = this.#refusal(stream, at.startMs);
    if (!reason) return this.#outbox.offer({ streamId, kind, endMs: at.endMs, encode });
    this.#outbox.drop(streamId, reason);
    return false;
  }

  #refusal(stream: RosterStream, wireMs: number): DropReason | undefined {
    if (this.#isOver()) return 'closed';
    if (!this.#outbox.limits) return 'before_live';
    if (stream.state !== 'live') return 'muted';
    return this.#roster.refusal(stream) ?? (wireMs < 0 ? 'new_epoch' : undefined);
  }

  #followingMs(streamId: string, lengthMs: number): number {
    const beganMs = Math.max(0, this.mediaMs - lengthMs);
    const endMs = this.#endsMs.get(streamId);
    return endMs === undefined || beganMs - endMs > PAUSE_MS ? beganMs : endMs;
  }

  #payloadBytes(): number {
    return (this.#outbox.limits?.maxFrameBytes ?? 64 * 1024) - MEDIA_HEADER_BYTES;
  }
}

/** A frame of sound is of at most a second, below what a server takes; also what is lost when one is lost. */
function bytesPerSecond({ encoding, sampleRateHz, channels }: AudioFormat): number {
  return sampleRateHz * channels * (encoding === 'pcm16' ? 2 : 1);
}
