import type { Modality } from '../domain/modality.ts';
import type {
  AudioFormat,
  Participant,
  ParticipantPolicy,
  ProducerMessage,
  StreamDeclaration,
  StreamState,
} from '../protocol/live.ts';
import type { ProduceOptions, StreamOption } from './options.ts';

/** A stream as it is now. `isEnding`: nothing more is taken for it, and what was given is still on its way. */
export type RosterStream = {
  readonly declaration: StreamDeclaration;
  readonly state: StreamState;
  readonly isEnding: boolean;
};

/** What a stream can be analyzed for; a participant who agrees to none of it is not sent. Sound is no text. */
const USES: Readonly<Record<StreamDeclaration['kind'], readonly Modality[]>> = {
  audio: ['audio'],
  video: ['face', 'body'],
  face: ['face'],
  body: ['body'],
  captions: ['text'],
};
/** Numbers of streams are 16 bits wide, and none is used twice. */
const MAX_STREAMS_EVER = 0x10000;

/** Who takes part and what is sent, as it is now. Each change returns what the server is told of it. */
export class Roster {
  readonly #participants = new Map<string, Participant>();
  readonly #streams = new Map<string, RosterStream>();
  /** Ids of all streams there ever were, of which none is used twice; their number is the next one's. */
  readonly #used = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #owner: string | undefined;
  #policy: readonly ParticipantPolicy[] = [];

  /** @throws TypeError when an id is given twice or a participant is not there. */
  constructor({ participant, participants = [], streams }: ProduceOptions) {
    this.#owner = participant?.id;
    for (const one of participant ? [participant, ...participants] : participants) this.join(one);
    if (streams.length === 0) throw new RangeError('streams must hold at least one stream');
    for (const stream of streams) this.open(stream);
    this.#changed.clear();
  }

  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  get streams(): readonly RosterStream[] {
    return [...this.#streams.values()];
  }

  /** Is what the server was told first of this participant or stream not all any more? */
  hasChanged(what: 'join' | 'open' | 'consent' | 'name' | 'state', id: string): boolean {
    return this.#changed.has(`${what} ${id}`);
  }

  /** @throws TypeError when there is no such stream. */
  stream(streamId: string): RosterStream {
    const stream = this.#streams.get(streamId);
    if (!stream || stream.isEnding)
      throw new TypeError(`streamId must be that of a declared stream, got ${JSON.stringify(streamId)}`);
    return stream;
  }

  /** @throws TypeError when the id is taken. */
  join(participant: Participant): ProducerMessage {
    if (this.#participants.has(participant.id))
      throw new TypeError(`participants must have different ids, got ${JSON.stringify(participant.id)} twice`);
    this.#participants.set(participant.id, participant);
    this.#changed.add(`join ${participant.id}`);
    return { type: 'join', participant };
  }

  /** @throws TypeError when the id was used before, or the participant is not there; RangeError after 65,536 streams. */
  open(option: StreamOption): ProducerMessage {
    const { streamId, participant = this.#owner } = option;
    if (this.#used.has(streamId))
      throw new TypeError(`streams must have different ids, got ${JSON.stringify(streamId)} twice`);
    if (participant !== undefined && !this.#participants.has(participant))
      throw new TypeError(`participant of a stream must be one that joined, got ${JSON.stringify(participant)}`);
    if (this.#used.size === MAX_STREAMS_EVER) throw new RangeError(`streams must be at most ${MAX_STREAMS_EVER}`);
    const declaration = { ...option, number: this.#used.size, ...(participant !== undefined && { participant }) };
    this.#used.add(streamId);
    this.#streams.set(streamId, { declaration, state: 'live', isEnding: false });
    this.#changed.add(`open ${streamId}`);
    return { type: 'open', streams: [declaration] };
  }

  /** Takes nothing more of the stream; `remove` follows when all that was given is used. */
  end(streamId: string): ProducerMessage {
    this.#streams.set(streamId, { ...this.stream(streamId), isEnding: true });
    return { type: 'close', streamId };
  }

  /** Forgets a stream that has ended. */
  remove(streamId: string): void {
    this.#streams.delete(streamId);
  }

  /** @throws TypeError when the stream has no sound. */
  setFormat(streamId: string, format: AudioFormat): ProducerMessage {
    const stream = this.stream(streamId);
    if (stream.declaration.kind !== 'audio')
      throw new TypeError(`streamId must be that of a stream of audio, got ${JSON.stringify(streamId)}`);
    this.#streams.set(streamId, { ...stream, declaration: { ...stream.declaration, format } });
    return { type: 'format', streamId, format };
  }

  /** @throws TypeError when there is no such stream. */
  setState(streamId: string, state: StreamState): ProducerMessage {
    this.#streams.set(streamId, { ...this.stream(streamId), state });
    this.#changed.add(`state ${streamId}`);
    return { type: 'state', streamId, state };
  }

  /** @throws TypeError when there is no such participant. */
  setConsent(participant: string, modalities: readonly Modality[]): ProducerMessage {
    this.#change(participant, 'consent', { consent: [...modalities] });
    return { type: 'consent', participant, modalities: [...modalities] };
  }

  /** @throws TypeError when there is no such participant. */
  rename(participant: string, name: string): ProducerMessage {
    this.#change(participant, 'name', { name });
    return { type: 'name', participant, name };
  }

  /** Takes what the server says may be analyzed of whom. */
  setPolicy(policy: readonly ParticipantPolicy[]): void {
    this.#policy = policy;
  }

  /** Why nothing may be made of the stream: its participant did not agree to it, or the server may not. */
  refusal({ declaration: { participant, kind } }: RosterStream): 'consent' | 'policy' | undefined {
    const mayUse = (modalities: readonly Modality[] | undefined): boolean =>
      !modalities || USES[kind].some((modality) => modalities.includes(modality));
    if (!mayUse(this.#participants.get(participant ?? '')?.consent)) return 'consent';
    const policy = this.#policy.find((one) => one.participant === participant);
    const isForWords = kind === 'audio' && policy?.isHeardForWords === true;
    return isForWords || mayUse(policy?.modalities) ? undefined : 'policy';
  }

  /** The streams of which nothing may be kept. */
  refusedStreams(): ReadonlySet<string> {
    const refused = this.streams.filter((stream) => this.refusal(stream) !== undefined);
    return new Set(refused.map(({ declaration }) => declaration.streamId));
  }

  #change(id: string, what: 'consent' | 'name', to: Partial<Participant>): void {
    const participant = this.#participants.get(id);
    if (!participant) throw new TypeError(`participant must be that of the options, got ${JSON.stringify(id)}`);
    this.#participants.set(id, { ...participant, ...to });
    this.#changed.add(`${what} ${id}`);
  }
}
