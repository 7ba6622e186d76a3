import type { MissingReason, Modality } from '../domain/modality.ts';
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
  /** Takes in words; those of a participant whose words may not be analyzed are counted and not read. */
  hear(message: TranscriptMessage): readonly Refusal[];
  /** Why what a stream carries may not be used; undefined when it may. */
  readonly refusalOf: (declaration: StreamDeclaration) => MissingReason | undefined;
};

/** Returns the consents of a session: they let the streams of `ingest` go unread that may not be used. `now`: wall time. */
export function createConsents(ingest: Ingest, participants: Participants, now: () => number): Consents {
  const refusalOf = (declaration: StreamDeclaration): MissingReason | undefined =>
    findRefusal(declaration, participants);
  /** Says in the stream of events what may be analyzed of a participant. */
  const apply = (policy: ParticipantPolicy, isNew: boolean): ParticipantPolicy => {
    const { speaker, modalities, refused } = policy;
    const [first] = refused;
    if (first !== undefined || !isNew)
      ingest.tell({ type: 'consent', speaker, modalities, reason: first?.reason ?? 'consent' });
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

/** A stream that carries everybody may be used for what may be analyzed of each. */
function findRefusal(declaration: StreamDeclaration, participants: Participants): MissingReason | undefined {
  const carried = modalitiesOf(declaration);
  const { participant } = declaration;
  const policy = participant === undefined ? undefined : participants.get(participant);
  const allowed = participant === undefined ? participants.common() : (policy?.modalities ?? []);
  if (carried.some((modality) => allowed.includes(modality))) return undefined;
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
