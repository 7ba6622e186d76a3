import { MODALITIES, type MissingReason, type Modality } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { ModalityChanged } from './signal.ts';

/** A modality that came or went, and whose. */
type PresenceChange = Omit<ModalityChanged, 'type' | 'arrivalMs'>;

/** What has been said of each modality of each speaker (of everybody: undefined), and what is to be said now. */
export type Presence = {
  present(modality: Modality, speaker: Speaker | undefined): void;
  absent(modality: Modality, speaker: Speaker | undefined, reason: MissingReason): void;
  /** The speaker's modalities that are not in `allowed` are absent for `reason`, whatever else is said, until they are allowed. */
  allow(speaker: Speaker, allowed: readonly Modality[], reason: MissingReason): void;
  /** Why the modality would be absent if it were allowed; undefined when it would not. */
  reasonOf(modality: Modality, speaker: Speaker | undefined): MissingReason | undefined;
  /** The changes since the last call, in order; what is said again is no change. */
  drain(): readonly PresenceChange[];
};

const MAX_STATES = 2_048;

/** Returns a presence of which nothing has been said. */
export function createPresence(): Presence {
  const said = new Map<string, MissingReason | 'present'>();
  const known = new Map<string, MissingReason | 'present'>();
  const withheld = new Map<string, MissingReason>();
  let changes: PresenceChange[] = [];
  const say = (modality: Modality, speaker: Speaker | undefined): void => {
    const key = keyOf(modality, speaker);
    const state = withheld.get(key) ?? known.get(key);
    if (state === undefined || said.get(key) === state) return;
    setBounded(said, key, state, MAX_STATES);
    const whose = { modality, ...(speaker && { speaker }) };
    changes.push(state === 'present' ? { ...whose, state } : { ...whose, state: 'absent', reason: state });
  };
  const learn = (modality: Modality, speaker: Speaker | undefined, state: MissingReason | 'present'): void => {
    setBounded(known, keyOf(modality, speaker), state, MAX_STATES);
    say(modality, speaker);
  };
  return {
    present: (modality, speaker) => learn(modality, speaker, 'present'),
    absent: (modality, speaker, reason) => learn(modality, speaker, reason),
    allow: (speaker, allowed, reason) => {
      for (const modality of MODALITIES) {
        const key = keyOf(modality, speaker);
        const wasWithheld = withheld.delete(key);
        if (!allowed.includes(modality)) setBounded(withheld, key, reason, MAX_STATES);
        else if (wasWithheld && !known.has(key)) known.set(key, known.get(keyOf(modality, undefined)) ?? 'present');
        say(modality, speaker);
      }
    },
    reasonOf: (modality, speaker) => {
      const state = known.get(keyOf(modality, speaker));
      return state === 'present' ? undefined : state;
    },
    drain: () => {
      const drained = changes;
      if (drained.length > 0) changes = [];
      return drained;
    },
  };
}

function keyOf(modality: Modality, speaker: Speaker | undefined): string {
  return `${modality} ${speaker?.id ?? ''}`;
}
