import type { Modality } from '../domain/modality.ts';
import type {
  AudioFormat,
  ConsumerWelcome,
  ErrorMessage,
  ParticipantPolicy,
  ProducerHello,
  ProducerWelcome,
} from '../protocol/live.ts';
import { encodeMediaFrame, MEDIA_HEADER_BYTES } from '../protocol/mediaFrame.ts';
import { durationMs, toAudioParts } from './audioParts.ts';
import { isProducerWelcome, type ServerMessage } from './decode.ts';
import type { Drop, DropReason } from './drops.ts';
import { createEmitter } from './emitter.ts';
import { Link } from './link.ts';
import { createMediaClock } from './mediaClock.ts';
import { checkPositive, type Endpoint, type ProduceOptions } from './options.ts';
import { Outbox, type ProducerCounts } from './outbox.ts';
import { Roster, type RosterStream } from './roster.ts';
import { toRowBytes, type Samples } from './samples.ts';
import type { Status } from './status.ts';
import { checkMediaMs, checkTranscript, mapTimes, type TranscriptOption } from './transcript.ts';
import { untilClosed, untilLive } from './untilStatus.ts';

const DEFAULT_RING_BYTES = 8 * 1024 * 1024;
const DEFAULT_HIGH_WATER_BYTES = 256 * 1024;
/** How far the clock may be ahead of the samples that were counted before there was a pause. */
const PAUSE_MS = 500;
const BYE_WITHIN_MS = 10_000;

/** What a producer tells its listeners. */
export type ProducerEvents = {
  status: Status;
  /** What may be analyzed of whom, as the server sees it. */
  policy: readonly ParticipantPolicy[];
  /** Something was refused, and the connection goes on. */
  error: ErrorMessage;
  dropped: Drop;
  /** The server will close: it comes back by itself; new calls are better begun elsewhere. */
  goaway: { readonly leftMs: number; readonly reason: 'shutdown' | 'length' };
};

/**
 * Sends what is seen and heard. Media times are milliseconds since the producer was first live, and rise per stream. What is
 * sent returns false when it was dropped at once (`counts` and the event `dropped` say why); true is no promise, since the
 * connection may stay away for longer than the ring holds.
 */
export class Producer {
  readonly #link: Link;
  readonly #endpoint: Endpoint;
  readonly #roster: Roster;
  readonly #outbox: Outbox;
  readonly #clock: ReturnType<typeof createMediaClock>;
  readonly #options: ProduceOptions;
  readonly #emitter = createEmitter<ProducerEvents>();
  /** Per stream of sound, when what was sent of it ends. */
  readonly #endsMs = new Map<string, number>();
  #session: string | undefined;
  #resume: ProducerHello['resume'];
  #isLeaving = false;

  /** Use `connect`. @throws TypeError or RangeError when an option breaks its rule. */
  constructor(endpoint: Endpoint, options: ProduceOptions & { readonly session?: string }) {
    const { maxRingBytes = DEFAULT_RING_BYTES, highWaterBytes = DEFAULT_HIGH_WATER_BYTES } = options;
    checkPositive('maxRingBytes', maxRingBytes);
    checkPositive('highWaterBytes', highWaterBytes);
    this.#options = options;
    this.#endpoint = endpoint;
    this.#session = options.session;
    this.#roster = new Roster(options);
    this.#clock = createMediaClock(endpoint.now);
    this.#link = new Link(endpoint, {
      hello: () => this.#hello(),
      welcomed: (welcome) => this.#welcomed(welcome),
      heard: (message) => this.#heard(message),
      forgives: ({ error }) => this.#forgives(error),
      changed: (status) => this.#changed(status),
    });
    this.#outbox = new Outbox(this.#link, endpoint, {
      maxRingBytes,
      highWaterBytes,
      onDrop: (drop) => this.#emitter.emit('dropped', drop),
      onEmpty: () => this.#sayBye(),
    });
    this.#link.start();
  }

  get status(): Status {
    return this.#link.status;
  }

  /** The id of the session, once the server has said it or it was given. */
  get session(): string | undefined {
    return this.#session;
  }

  get counts(): ProducerCounts {
    return this.#outbox.counts;
  }

  /** Media time now: ms since the first `hello` that was welcomed; 0 before. */
  get mediaMs(): number {
    return this.#outbox.limits ? this.#clock.nowMs() : 0;
  }

  /** Calls `listener` on every event of the type from now on; returns what ends that. */
  on<K extends keyof ProducerEvents>(type: K, listener: (event: ProducerEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /** Resolves once it is live. @throws UndertoneError when it is closed before. */
  ready(): Promise<void> {
    return untilLive(this);
  }

  /**
   * Resolves when all that was given is with the socket, or the connection is closed for good. Whoever sends faster than in
   * real time, as from a file, awaits it, so that nothing has to be dropped.
   */
  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  /**
   * Sends samples of a `pcm16` stream, in its rate and channels, in as many frames as the server's limit needs.
   * @param mediaMs When they begin; without it they follow those before, or, after a pause, have just ended.
   * @throws TypeError or RangeError when the stream is another, or samples or time break a rule.
   */
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

  /**
   * Sends a row of a face or body stream (docs/features.md).
   * @param atMs When it was seen; now unless given.
   * @throws TypeError or RangeError when the stream is another, or a number is not finite.
   */
  sendLandmarks(streamId: string, row: ArrayLike<number>, atMs: number = this.mediaMs): boolean {
    const stream = this.#streamOf(streamId, 'face', 'body');
    return this.#send(stream, toRowBytes(row), { startMs: atMs, endMs: atMs });
  }

  /**
   * Sends bytes as they are: an Opus packet or µ-law sound of an audio stream, a JPEG picture of a video stream.
   * @param mediaMs When it begins; now unless given.
   * @throws TypeError or RangeError when the stream is another, or the time breaks a rule.
   */
  sendMedia(streamId: string, payload: Uint8Array, mediaMs: number = this.mediaMs): boolean {
    return this.#send(this.#streamOf(streamId, 'audio', 'video'), payload, { startMs: mediaMs, endMs: mediaMs });
  }

  /**
   * Sends words of a captions stream.
   * @throws TypeError or RangeError when the stream is another, the text is too long, or the times break a rule.
   */
  sendTranscript(streamId: string, transcript: TranscriptOption): boolean {
    const stream = this.#streamOf(streamId, 'captions');
    checkTranscript(transcript);
    const wire = mapTimes(transcript, (mediaMs) => this.#clock.toWire(mediaMs));
    return this.#offer(stream, wire, (sequence) => JSON.stringify({ ...wire, type: 'transcript', streamId, sequence }));
  }

  /** Says that a stream delivers nothing for now, and drops what is given of it until `unmute`. */
  mute(streamId: string): void {
    const { kind } = this.#roster.stream(streamId).declaration;
    this.#link.send(this.#roster.setState(streamId, kind === 'audio' || kind === 'captions' ? 'muted' : 'camera_off'));
  }

  /** Says that a stream delivers again. */
  unmute(streamId: string): void {
    this.#link.send(this.#roster.setState(streamId, 'live'));
  }

  /**
   * Says what a participant agrees to. What is kept of streams that are of no use any more is erased, and nothing more of
   * them is sent.
   * @throws TypeError when there is no such participant.
   */
  setConsent(participant: string, modalities: readonly Modality[]): void {
    this.#link.send(this.#roster.setConsent(participant, modalities));
    this.#outbox.erase(this.#roster.refusedStreams());
  }

  /** Sends what waits, says that nothing more comes, and resolves when the server has closed, or after 10 s at most. */
  async bye(): Promise<void> {
    if (!this.#isLeaving && this.status.state !== 'closed') {
      this.#isLeaving = true;
      const cancel = this.#endpoint.schedule(() => this.close(), BYE_WITHIN_MS);
      this.#outbox.pump();
      await untilClosed(this);
      cancel();
    }
    await untilClosed(this);
  }

  /** Closes now; what waits is lost, and the server keeps the session for a while. */
  close(): void {
    this.#link.close();
  }

  #hello(): ProducerHello {
    const common = { type: 'hello', v: 1, ...(this.#session !== undefined && { session: this.#session }) } as const;
    if (this.#resume) return { ...common, participants: [], streams: [], resume: this.#resume };
    this.#clock.helloSent();
    const { purpose, exception, client } = this.#options;
    return {
      ...common,
      ...(purpose && { purpose }),
      ...(exception && { exception }),
      ...(client !== undefined && { client }),
      participants: this.#roster.participants,
      streams: this.#roster.declarations,
    };
  }

  #welcomed(welcome: ProducerWelcome | ConsumerWelcome): 'live' | 'resumed' | undefined {
    if (!isProducerWelcome(welcome)) return undefined;
    const { session, epoch, resumeToken, isResumed, participants } = welcome;
    if (!isResumed && this.#clock.begun()) this.#endsMs.clear();
    this.#session = session;
    const wasResuming = this.#resume !== undefined;
    this.#resume = { token: resumeToken, epoch };
    this.#outbox.welcomed(!isResumed, welcome);
    for (const message of this.#roster.changes(wasResuming && !isResumed)) this.#link.send(message);
    this.#emitter.emit('policy', participants);
    return isResumed ? 'resumed' : 'live';
  }

  #heard(message: ServerMessage): void {
    if (message.type === 'ack') this.#outbox.acked(message.streams);
    else if (message.type === 'policy') this.#emitter.emit('policy', message.participants);
    else if (message.type === 'goaway') this.#emitter.emit('goaway', message);
    else if (message.type === 'error' && !message.isFatal) this.#emitter.emit('error', message);
  }

  /** A server that does not know our token any more may be told everything anew. */
  #forgives(error: ErrorMessage | undefined): boolean {
    if (error?.code !== 'RESUME_FAILED' || !this.#resume) return false;
    this.#resume = undefined;
    return true;
  }

  #changed(status: Status): void {
    if (status.state === 'live' || status.state === 'resumed') this.#outbox.pump();
    if (status.state === 'closed') this.#outbox.end();
    this.#emitter.emit('status', status);
  }

  #sayBye(): void {
    if (this.#isLeaving && !this.#link.isLeaving && this.#link.send({ type: 'bye' })) this.#link.leave();
  }

  #streamOf(streamId: string, ...kinds: readonly string[]): RosterStream {
    const stream = this.#roster.stream(streamId);
    if (kinds.includes(stream.declaration.kind)) return stream;
    throw new TypeError(`streamId must be that of a stream of ${kinds.join(' or ')}, got ${JSON.stringify(streamId)}`);
  }

  #send({ declaration, state }: RosterStream, payload: Uint8Array, at: { startMs: number; endMs: number }): boolean {
    checkMediaMs('mediaMs', at.startMs);
    if (payload.length === 0) throw new RangeError('a frame must have content');
    const mediaMs = this.#clock.toWire(at.startMs);
    return this.#offer({ declaration, state }, { startMs: mediaMs, endMs: this.#clock.toWire(at.endMs) }, (sequence) =>
      encodeMediaFrame({ number: declaration.number, sequence, mediaMs, payload }),
    );
  }

  #offer(
    stream: RosterStream,
    at: { readonly startMs: number; readonly endMs: number },
    encode: (sequence: number) => Uint8Array | string,
  ): boolean {
    const { streamId, kind } = stream.declaration;
    const reason = this.#refusal(stream, at.startMs);
    if (!reason) return this.#outbox.offer({ streamId, kind, endMs: at.endMs, encode });
    this.#outbox.drop(streamId, reason);
    return false;
  }

  #refusal(stream: RosterStream, wireMs: number): DropReason | undefined {
    if (this.#isLeaving || this.status.state === 'closed') return 'closed';
    if (!this.#outbox.limits) return 'before_live';
    if (stream.state !== 'live') return 'muted';
    if (!this.#roster.isAllowed(stream)) return 'consent';
    return wireMs < 0 ? 'new_epoch' : undefined;
  }

  #followingMs(streamId: string, durationMs: number): number {
    const beganMs = Math.max(0, this.mediaMs - durationMs);
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
