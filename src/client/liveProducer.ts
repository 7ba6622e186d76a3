import type { Modality, SightlessReason } from '../domain/modality.ts';
import type {
  AudioFormat,
  ConsumerWelcome,
  Participant,
  ParticipantPolicy,
  ProducerMessage,
  ProducerWelcome,
  StreamDeclaration,
} from '../protocol/live.ts';
import { isProducerWelcome, type ServerMessage } from './decode.ts';
import type { DropReason } from './drops.ts';
import { createEmitter } from './emitter.ts';
import { createHandshake, type Handshake } from './handshake.ts';
import { Link } from './link.ts';
import { createMediaClock } from './mediaClock.ts';
import { checkPositive, type Endpoint, type ProduceOptions, type StreamOption } from './options.ts';
import { Outbox, type ProducerCounts } from './outbox.ts';
import type { Producer, ProducerEvents } from './producer.ts';
import { Roster } from './roster.ts';
import type { Samples } from './samples.ts';
import { Sender } from './sender.ts';
import type { Status } from './status.ts';
import type { TranscriptOption } from './transcript.ts';
import { untilClosed, untilLive } from './untilStatus.ts';

const DEFAULT_RING_BYTES = 8 * 1024 * 1024;
const DEFAULT_HIGH_WATER_BYTES = 256 * 1024;
const BYE_WITHIN_MS = 10_000;

/** A producer over one socket after another; what its methods do is said in `Producer`. */
export class LiveProducer implements Producer {
  readonly #link: Link;
  readonly #endpoint: Endpoint;
  readonly #roster: Roster;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #handshake: Handshake;
  readonly #emitter = createEmitter<ProducerEvents>();
  #isLeaving = false;

  /** Use `connect`. @throws TypeError or RangeError when an option breaks its rule. */
  constructor(endpoint: Endpoint, options: ProduceOptions & { readonly session?: string }) {
    const { maxRingBytes = DEFAULT_RING_BYTES, highWaterBytes = DEFAULT_HIGH_WATER_BYTES } = options;
    checkPositive('maxRingBytes', maxRingBytes);
    checkPositive('highWaterBytes', highWaterBytes);
    this.#endpoint = endpoint;
    this.#roster = new Roster(options);
    const clock = createMediaClock(endpoint.now);
    this.#handshake = createHandshake(this.#roster, clock, options);
    this.#link = new Link(endpoint, {
      hello: () => this.#handshake.hello(),
      welcomed: (welcome) => this.#welcomed(welcome),
      heard: (message) => this.#heard(message),
      forgives: ({ error }) => this.#handshake.forgives(error),
      changed: (status) => this.#changed(status),
    });
    this.#outbox = new Outbox(this.#link, endpoint, {
      maxRingBytes,
      highWaterBytes,
      onDrop: (drop) => this.#emitter.emit('dropped', drop),
      onEmpty: () => this.#sayBye(),
      onEnded: (streamId) => this.#roster.remove(streamId),
    });
    const isOver = (): boolean => this.#isLeaving || this.status.state === 'closed';
    this.#sender = new Sender(this.#roster, this.#outbox, clock, isOver);
    this.#link.start();
  }

  get status(): Status {
    return this.#link.status;
  }

  get session(): string | undefined {
    return this.#handshake.session;
  }

  get counts(): ProducerCounts {
    return this.#outbox.counts;
  }

  get mediaMs(): number {
    return this.#sender.mediaMs;
  }

  on<K extends keyof ProducerEvents>(type: K, listener: (event: ProducerEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  ready(): Promise<void> {
    return untilLive(this);
  }

  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  sendAudio(streamId: string, samples: Samples, mediaMs?: number): boolean {
    return this.#sender.sendAudio(streamId, samples, mediaMs);
  }

  sendLandmarks(streamId: string, row: ArrayLike<number>, atMs: number = this.mediaMs): boolean {
    return this.#sender.sendLandmarks(streamId, row, atMs);
  }

  sendSightless(streamId: string, reason: SightlessReason, atMs: number = this.mediaMs): boolean {
    return this.#sender.sendSightless(streamId, reason, atMs);
  }

  sendMedia(streamId: string, payload: Uint8Array, mediaMs: number = this.mediaMs): boolean {
    return this.#sender.sendMedia(streamId, payload, mediaMs);
  }

  sendTranscript(streamId: string, transcript: TranscriptOption): boolean {
    return this.#sender.sendTranscript(streamId, transcript);
  }

  stream(streamId: string): StreamDeclaration {
    return this.#roster.stream(streamId).declaration;
  }

  refusal(streamId: string): Extract<DropReason, 'consent' | 'policy'> | undefined {
    return this.#roster.refusal(this.#roster.stream(streamId));
  }

  join(participant: Participant): void {
    this.#link.send(this.#roster.join(participant));
  }

  rename(participant: string, name: string): void {
    this.#link.send(this.#roster.rename(participant, name));
  }

  openStream(stream: StreamOption): void {
    this.#link.send(this.#roster.open(stream));
  }

  endStream(streamId: string): void {
    this.#tellInTurn(streamId, this.#roster.end(streamId));
    this.#sender.forget(streamId);
  }

  setFormat(streamId: string, format: AudioFormat): void {
    this.#tellInTurn(streamId, this.#roster.setFormat(streamId, format));
  }

  mute(streamId: string): void {
    const { kind } = this.stream(streamId);
    this.#link.send(this.#roster.setState(streamId, kind === 'audio' || kind === 'captions' ? 'muted' : 'camera_off'));
  }

  unmute(streamId: string): void {
    this.#link.send(this.#roster.setState(streamId, 'live'));
  }

  setConsent(participant: string, modalities: readonly Modality[]): void {
    this.#link.send(this.#roster.setConsent(participant, modalities));
    this.#outbox.erase(this.#roster.refusedStreams());
  }

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

  close(): void {
    this.#link.close();
  }

  /** Before the first hello is answered nothing was given yet, and the welcome is followed by what changed since. */
  #tellInTurn(streamId: string, message: ProducerMessage): void {
    if (this.#outbox.limits) this.#outbox.tell(streamId, message);
  }

  #welcomed(welcome: ProducerWelcome | ConsumerWelcome): 'live' | 'resumed' | undefined {
    if (!isProducerWelcome(welcome)) return undefined;
    const { isResumed, participants } = welcome;
    this.#outbox.welcomed(!isResumed, welcome);
    const { changes, isNewClock } = this.#handshake.welcomed(welcome);
    if (isNewClock) this.#sender.forget();
    for (const message of changes) this.#link.send(message);
    this.#setPolicy(participants);
    return isResumed ? 'resumed' : 'live';
  }

  #heard(message: ServerMessage): void {
    if (message.type === 'ack') this.#outbox.acked(message.streams);
    else if (message.type === 'policy') this.#setPolicy(message.participants);
    else if (message.type === 'goaway') this.#emitter.emit('goaway', message);
    else if (message.type === 'error' && !message.isFatal) this.#emitter.emit('error', message);
  }

  #setPolicy(participants: readonly ParticipantPolicy[]): void {
    this.#roster.setPolicy(participants);
    this.#emitter.emit('policy', participants);
  }

  #changed(status: Status): void {
    if (status.state === 'live' || status.state === 'resumed') this.#outbox.pump();
    if (status.state === 'closed') this.#outbox.end();
    this.#emitter.emit('status', status);
  }

  #sayBye(): void {
    if (this.#isLeaving && !this.#link.isLeaving && this.#link.send({ type: 'bye' })) this.#link.leave();
  }
}
