import type { OperatorFunction } from 'rxjs';
import type { Modality } from '../domain/modality.ts';
import type { ConsentChanged, Observation, StreamOpened } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import { createConsents } from './consents.ts';
import { stage, type Stage } from './stage.ts';

const MAX_STREAMS = 512;

/**
 * Emits what the participants allow to be analyzed, each at once and unchanged; the rest is dropped unread: sound of a
 * speaker's own stream, pictures, transcripts and interim words that are theirs. While a speaker's sound is withheld their own
 * audio streams count as closed (`streamClosed`, after the `consent`), and open again (`streamOpened`) when it is allowed.
 * What a mixed stream carries of a speaker cannot be told apart here; whoever uses it asks for their consent.
 * Nothing is held back, so complete and error pass at once.
 */
export function respectConsent(): OperatorFunction<Observation, Observation> {
  return stage(createGate);
}

function createGate(): Stage<Observation, Observation> {
  const consents = createConsents();
  const streams = new Map<string, StreamOpened>();

  const isWithheld = (modality: Modality, speaker: Speaker | undefined): boolean =>
    speaker !== undefined && consents.reasonOf(modality, speaker) !== undefined;
  const ownerOf = (streamId: string): Speaker | undefined => streams.get(streamId)?.speaker;
  const isSilenced = (streamId: string): boolean =>
    streams.get(streamId)?.kind === 'audio' && isWithheld('audio', ownerOf(streamId));

  const change = (consent: ConsentChanged): readonly Observation[] => {
    const audio = [...streams.values()].filter(({ kind }) => kind === 'audio');
    const before = new Set(audio.filter(({ streamId }) => isSilenced(streamId)));
    consents.observe(consent);
    const { arrivalMs, reason } = consent;
    const changes = audio.flatMap((stream): readonly Observation[] => {
      const { streamId } = stream;
      if (isSilenced(streamId) === before.has(stream)) return [];
      return [before.has(stream) ? { ...stream, arrivalMs } : { type: 'streamClosed', arrivalMs, streamId, reason }];
    });
    return [consent, ...changes];
  };
  const isAllowed = (observation: Observation): boolean => {
    switch (observation.type) {
      case 'voice':
      case 'streamInterrupted':
      case 'streamRestored':
      case 'streamOpened':
        return !isSilenced(observation.streamId);
      case 'visual':
        return !isWithheld(observation.modality, observation.speaker ?? ownerOf(observation.streamId));
      case 'transcript':
      case 'interim':
        return !isWithheld('text', observation.speaker ?? ownerOf(observation.streamId));
      default:
        return true;
    }
  };

  return {
    next: (observation) => {
      if (observation.type === 'consent') return change(observation);
      if (observation.type === 'streamOpened') setBounded(streams, observation.streamId, observation, MAX_STREAMS);
      const isPassed =
        isAllowed(observation) && !(observation.type === 'streamClosed' && isSilenced(observation.streamId));
      if (observation.type === 'streamClosed') streams.delete(observation.streamId);
      return isPassed ? [observation] : [];
    },
  };
}
