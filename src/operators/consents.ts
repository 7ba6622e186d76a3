import type { MissingReason, Modality } from '../domain/modality.ts';
import type { ConsentChanged } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Signal } from './signal.ts';
import { isSameSpeaker } from './streams.ts';

const MAX_SPEAKERS = 512;

/** What each participant allows to be analyzed. */
export type Consents = {
  observe(signal: Signal): void;
  /** Why a modality of a speaker may not be used; undefined when it may. Whoever said nothing allows everything. */
  reasonOf(modality: Modality, speaker: Speaker): MissingReason | undefined;
};

/** Returns the consents of a session in which nobody has said anything; the latest of each of 512 speakers counts. */
export function createConsents(): Consents {
  const consents = new Map<string, ConsentChanged>();
  const of = (speaker: Speaker): ConsentChanged | undefined =>
    consents.get(speaker.id) ?? [...consents.values()].find((consent) => isSameSpeaker(consent.speaker, speaker));
  return {
    observe: (signal) => {
      if (signal.type !== 'consent') return;
      const before = of(signal.speaker);
      if (before) consents.delete(before.speaker.id);
      setBounded(consents, signal.speaker.id, signal, MAX_SPEAKERS);
    },
    reasonOf: (modality, speaker) => {
      if (consents.size === 0) return undefined;
      const consent = of(speaker);
      return consent === undefined || consent.modalities.includes(modality) ? undefined : consent.reason;
    },
  };
}
