import { MODALITIES, type Modality } from '../domain/modality.ts';
import { isSpeakerName, type Speaker, speakerFromName } from '../domain/speaker.ts';
import { UndertoneError } from '../errors.ts';
import type { Participant, ParticipantPolicy } from '../protocol/live.ts';

/** Decides what may be analyzed of a participant. */
export type DecideModalities = (
  participant: Pick<Participant, 'id' | 'role' | 'consent'>,
) => Omit<ParticipantPolicy, 'participant' | 'speaker'>;

/** The participants of one session. */
export type Participants = {
  /** Adds one, or gives one that is known another consent or name. @throws UndertoneError BAD_MESSAGE, LIMIT_EXCEEDED */
  join(participant: Participant): ParticipantPolicy;
  /** @throws UndertoneError UNKNOWN_STREAM */
  consent(id: string, modalities: readonly Modality[]): ParticipantPolicy;
  /** Keeps the id of the speaker. @throws UndertoneError UNKNOWN_STREAM, BAD_MESSAGE */
  rename(id: string, name: string): ParticipantPolicy;
  get(id: string): ParticipantPolicy | undefined;
  all(): readonly ParticipantPolicy[];
  /** What may be used of a stream that carries everybody: what may be used of each. */
  common(): readonly Modality[];
};

const NO_NAME = 'a name must hold at least one visible character';

type Known = { participant: Participant; policy: ParticipantPolicy };

/** Returns the participants of a session that nobody has joined, at most `limit`. Names that are equal get a number. */
export function createParticipants(limit: number, decide: DecideModalities): Participants {
  const known = new Map<string, Known>();
  const speakerOf = ({ id, name }: Participant): Speaker => {
    if (!isSpeakerName(name)) throw new UndertoneError('BAD_MESSAGE', NO_NAME);
    const taken = new Set([...known].filter(([other]) => other !== id).map(([, { policy }]) => policy.speaker.id));
    let speaker = speakerFromName(name, 'track');
    for (let n = 2; taken.has(speaker.id); n++) speaker = speakerFromName(`${name} ${n}`, 'track');
    return speaker;
  };
  const find = (id: string): Known => {
    const found = known.get(id);
    if (!found) throw new UndertoneError('UNKNOWN_STREAM', 'no participant has this id');
    return found;
  };
  const keep = (participant: Participant, speaker: Speaker): ParticipantPolicy => {
    const policy = { participant: participant.id, speaker, ...decide(participant) };
    known.set(participant.id, { participant, policy });
    return policy;
  };
  return {
    join: (participant) => {
      const before = known.get(participant.id);
      if (!before && known.size >= limit) throw new UndertoneError('LIMIT_EXCEEDED', `at most ${limit} participants`);
      return keep(participant, before?.policy.speaker ?? speakerOf(participant));
    },
    consent: (id, modalities) => {
      const before = find(id);
      return keep({ ...before.participant, consent: modalities }, before.policy.speaker);
    },
    rename: (id, name) => {
      const { participant, policy } = find(id);
      if (!isSpeakerName(name)) throw new UndertoneError('BAD_MESSAGE', NO_NAME);
      return keep({ ...participant, name }, { ...policy.speaker, name: speakerFromName(name, 'track').name });
    },
    get: (id) => known.get(id)?.policy,
    all: () => [...known.values()].map(({ policy }) => policy),
    common: () =>
      MODALITIES.filter((modality) => [...known.values()].every(({ policy }) => policy.modalities.includes(modality))),
  };
}
