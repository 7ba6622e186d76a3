import type { MissingReason, Modality } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { ModalityChanged } from './signal.ts';

/** A modality that came or went, and whose. */
type PresenceChange = Omit<ModalityChanged, 'type' | 'arrivalMs'>;

/** What has been said of each modality of each speaker (of everybody: undefined), and what is to be said now. */
export type Presence = {
  present(modality: Modality, speaker: Speaker | undefined): void;
  absent(modality: Modality, speaker: Speaker | undefined, reason: MissingReason): void;
  /** Why the modality was last said to be absent; undefined when it was not. */
  reasonOf(modality: Modality, speaker: Speaker | undefined): MissingReason | undefined;
  /** The changes since the last call, in order; what is said again is no change. */
  drain(): readonly PresenceChange[];
};

const MAX_STATES = 2_048;

/** Returns a presence of which nothing has been said. */
export function createPresence(): Presence {
  const states = new Map<string, MissingReason | 'present'>();
  let changes: PresenceChange[] = [];
  const say = (change: PresenceChange): void => {
    const key = keyOf(change.modality, change.speaker);
    const state = change.reason ?? 'present';
    if (states.get(key) === state) return;
    setBounded(states, key, state, MAX_STATES);
    changes.push(change);
  };
  return {
    present: (modality, speaker) => say({ modality, state: 'present', ...(speaker && { speaker }) }),
    absent: (modality, speaker, reason) => say({ modality, state: 'absent', reason, ...(speaker && { speaker }) }),
    reasonOf: (modality, speaker) => {
      const state = states.get(keyOf(modality, speaker));
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
