import type { Modality } from '../domain/modality.ts';
import type { Participant, ProducerMessage, StreamDeclaration, StreamState } from '../protocol/live.ts';
import type { ProduceOptions } from './options.ts';

/** A stream as it is now. */
export type RosterStream = { readonly declaration: StreamDeclaration; readonly state: StreamState };

/** What a stream can be analyzed for; a participant who agrees to none of it is not sent. */
const USES: Readonly<Record<StreamDeclaration['kind'], readonly Modality[]>> = {
  audio: ['audio', 'text'],
  video: ['face', 'body'],
  face: ['face'],
  body: ['body'],
  captions: ['text'],
};

/** Who takes part and what is sent, as it is now: what a server is told that knows nothing of it yet. */
export class Roster {
  readonly #participants = new Map<string, Participant>();
  readonly #streams = new Map<string, RosterStream>();
  /** Those whose consent or state is not that of the declaration any more. */
  readonly #changed = new Set<string>();

  /** @throws TypeError when an id is given twice or a participant is not there. */
  constructor({ participant, participants = [], streams }: ProduceOptions) {
    for (const one of participant ? [participant, ...participants] : participants) this.#join(one);
    streams.forEach((stream, number) => {
      const owner = stream.participant ?? participant?.id;
      this.#open({ ...stream, number, ...(owner !== undefined && { participant: owner }) });
    });
    if (this.#streams.size === 0) throw new RangeError('streams must hold at least one stream');
  }

  get participants(): readonly Participant[] {
    return [...this.#participants.values()];
  }

  get declarations(): readonly StreamDeclaration[] {
    return [...this.#streams.values()].map(({ declaration }) => declaration);
  }

  /** @throws TypeError when there is no such stream. */
  stream(streamId: string): RosterStream {
    const stream = this.#streams.get(streamId);
    if (!stream) throw new TypeError(`streamId must be that of a declared stream, got ${JSON.stringify(streamId)}`);
    return stream;
  }

  /** Returns what the server is told of the new state. */
  setState(streamId: string, state: StreamState): ProducerMessage {
    this.#streams.set(streamId, { ...this.stream(streamId), state });
    this.#changed.add(`state ${streamId}`);
    return { type: 'state', streamId, state };
  }

  /** Returns what the server is told of the new consent. */
  setConsent(participant: string, modalities: readonly Modality[]): ProducerMessage {
    const present = this.#participants.get(participant);
    if (!present) throw new TypeError(`participant must be that of the options, got ${JSON.stringify(participant)}`);
    this.#participants.set(participant, { ...present, consent: [...modalities] });
    this.#changed.add(`consent ${participant}`);
    return { type: 'consent', participant, modalities: [...modalities] };
  }

  /** May anything be made of the stream, as far as its participant goes? */
  isAllowed({ declaration }: RosterStream): boolean {
    const consent = this.#participants.get(declaration.participant ?? '')?.consent;
    return !consent || USES[declaration.kind].some((modality) => consent.includes(modality));
  }

  /** The streams of which nothing may be kept. */
  refusedStreams(): ReadonlySet<string> {
    return new Set([...this.#streams].filter(([, stream]) => !this.isAllowed(stream)).map(([streamId]) => streamId));
  }

  /** What a server has to be told after its welcome, before any media; `knowsNobody` when its hello named nobody. */
  changes(knowsNobody: boolean): readonly ProducerMessage[] {
    const participants = this.participants;
    return [
      ...(knowsNobody ? participants.map((participant) => ({ type: 'join', participant }) as const) : []),
      ...(knowsNobody ? [{ type: 'open', streams: this.declarations } as const] : []),
      ...participants
        .filter(({ id }) => this.#changed.has(`consent ${id}`))
        .map(({ id, consent = [] }) => ({ type: 'consent', participant: id, modalities: consent }) as const),
      ...[...this.#streams]
        .filter(([streamId]) => this.#changed.has(`state ${streamId}`))
        .map(([streamId, { state }]) => ({ type: 'state', streamId, state }) as const),
    ];
  }

  #join(participant: Participant): void {
    if (this.#participants.has(participant.id))
      throw new TypeError(`participants must have different ids, got ${JSON.stringify(participant.id)} twice`);
    this.#participants.set(participant.id, participant);
  }

  #open(declaration: StreamDeclaration): void {
    const { streamId, participant } = declaration;
    if (this.#streams.has(streamId))
      throw new TypeError(`streams must have different ids, got ${JSON.stringify(streamId)} twice`);
    if (participant !== undefined && !this.#participants.has(participant))
      throw new TypeError(`participant of a stream must be one of the options, got ${JSON.stringify(participant)}`);
    this.#streams.set(streamId, { declaration, state: 'live' });
  }
}
