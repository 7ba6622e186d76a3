import type { MissingReason, Modality } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import { UndertoneError } from '../errors.ts';
import type { Participant, ParticipantPolicy, StreamDeclaration, TranscriptMessage } from '../protocol/live.ts';
import type { Ingest, Refusal } from './ingest/ingest.ts';
import type { Participants } from './participants.ts';

/** What is done with the media of participants, by what may be analyzed of them. */
export type Consents = {
  /** @throws UndertoneError BAD_MESSAGE, LIMIT_EXCEEDED */
  join(participant: Participant): ParticipantPolicy;
  /** @throws UndertoneError UNKNOWN_STREAM */
  consent(id: string, modalities: readonly Modality[]): ParticipantPolicy;
  /** @throws UndertoneError UNKNOWN_STREAM, BAD_MESSAGE */
  rename(id: string, name: string): ParticipantPolicy;
  /**
   * Whoever a recognizer tells apart as `speakerId` (S1) is a participant: what may be analyzed of the one holds for the other.
   * @throws UndertoneError UNKNOWN_STREAM, BAD_MESSAGE, LIMIT_EXCEEDED
   */
  identify(speakerId: string, participant: string): void;
  /** Takes in words; those of a participant whose words may not be analyzed are counted and not read. */
  hear(message: TranscriptMessage): readonly Refusal[];
  /** Why what a stream carries may not be used; undefined when it may. */
  readonly refusalOf: (declaration: StreamDeclaration) => MissingReason | undefined;
};

/** What the consents of a session need. `now`: wall time. */
export type ConsentsDeps = {
  readonly ingest: Ingest;
  readonly participants: Participants;
  readonly now: () => number;
};

/** Speakers that can be identified in a session. */
const MAX_IDENTIFIED = 256;

/** Returns the consents of a session: they let the streams of `ingest` go unread that may not be used. */
export function createConsents({ ingest, participants, now }: ConsentsDeps): Consents {
  /** Participants by the speakers that turned out to be them. */
  const known = new Map<string, { readonly speaker: Speaker; readonly participant: string }>();
  const refusalOf = (declaration: StreamDeclaration): MissingReason | undefined =>
    findRefusal(declaration, participants);
  /** Says in the stream of events what may be analyzed of a participant. */
  const apply = (policy: ParticipantPolicy, isNew: boolean): ParticipantPolicy => {
    const { speaker, modalities, refused } = policy;
    const [first] = refused;
    const own = [...known.values()].filter(({ participant }) => participant === policy.participant);
    if (first !== undefined || !isNew)
      for (const whose of [speaker, ...own.map((one) => one.speaker)])
        ingest.tell({ type: 'consent', speaker: whose, modalities, reason: first?.reason ?? 'consent' });
    for (const { entry } of ingest.streams())
      ingest.setRefused(entry.declaration.streamId, refusalOf(entry.declaration));
    return policy;
  };
  return {
    join: (participant) => {
      const isNew = participants.get(participant.id) === undefined;
      return apply(participants.join(participant), isNew);
    },
    consent: (id, modalities) => apply(participants.consent(id, modalities), false),
    rename: (id, name) => {
      const policy = participants.rename(id, name);
      ingest.tell({ type: 'speakerNamed', speakerId: policy.speaker.id, speaker: policy.speaker });
      return policy;
    },
    identify: (speakerId, participant) => {
      const policy = participants.get(participant);
      if (!policy) throw new UndertoneError('UNKNOWN_STREAM', 'no participant has this id');
      if (participants.all().some(({ speaker }) => speaker.id === speakerId))
        throw new UndertoneError('BAD_MESSAGE', 'this speaker is a participant already');
      if (known.size >= MAX_IDENTIFIED && !known.has(speakerId))
        throw new UndertoneError('LIMIT_EXCEEDED', `at most ${MAX_IDENTIFIED} speakers can be identified`);
      known.set(speakerId, { speaker: { id: speakerId, name: speakerId, source: 'diarizer' }, participant });
      ingest.tell({ type: 'speakerNamed', speakerId, speaker: policy.speaker });
      apply(policy, false);
    },
    hear: (message) => {
      const { participant, streamId } = message;
      if (participant === undefined) return ingest.transcript(message, now());
      const policy = participants.get(participant);
      if (!policy) return [{ code: 'UNKNOWN_STREAM', streamId, rule: 'no participant has this id' }];
      if (policy.modalities.includes('text')) return ingest.transcript(message, now(), { speaker: policy.speaker });
      return ingest.transcript({ ...message, text: '', words: [] }, now(), { isUnread: true });
    },
    refusalOf,
  };
}

/** A stream that carries everybody may be used for what may be analyzed of each; one's own sound for its words too. */
function findRefusal(declaration: StreamDeclaration, participants: Participants): MissingReason | undefined {
  const carried = modalitiesOf(declaration);
  const { participant, kind } = declaration;
  const policy = participant === undefined ? undefined : participants.get(participant);
  const allowed = participant === undefined ? participants.common() : (policy?.modalities ?? []);
  if (carried.some((modality) => allowed.includes(modality))) return undefined;
  if (kind === 'audio' && policy?.isHeardForWords) return undefined;
  return policy?.refused.find(({ modality }) => carried.includes(modality))?.reason ?? 'privacy';
}

function modalitiesOf({ kind }: StreamDeclaration): readonly Modality[] {
  switch (kind) {
    case 'audio':
      return ['audio'];
    case 'captions':
      return ['text'];
    case 'video':
      return ['face', 'body'];
    case 'face':
    case 'body':
      return [kind];
  }
}
