import type { InputSpec } from './config.ts';
import { MAX_SPEAKERS } from './incrementalContext.ts';
import { newStatistics, normaliseRows, type SpeakerStatistics, withUtterance } from './normalisation.ts';

/** What is remembered of speakers, as it is saved: statistics by speaker and input, and as they were before each utterance. */
export type SavedSpeakers = {
  readonly speakers: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly before: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
};

/** The running statistics of the speakers of one conversation. */
export type SpeakerMemory = {
  /**
   * Normalises one input of an utterance relative to its speaker and counts it. Asked again for the same utterance (a
   * revision), it answers as it did the first time and counts nothing twice.
   */
  normalise(utteranceId: string, speakerId: string, input: InputSpec, values: Float32Array): Float32Array;
  /** The utterance is final: it will not be asked for again. */
  forget(utteranceId: string): void;
  save(): SavedSpeakers;
};

type ByInput = Map<string, SpeakerStatistics>;

/** Makes a speaker memory, empty or as saved. At most MAX_SPEAKERS are kept; the one not heard for longest goes first. */
export function createSpeakerMemory(
  globalOf: (input: InputSpec) => { readonly mean: Float32Array; readonly scale: Float32Array },
  saved?: SavedSpeakers,
): SpeakerMemory {
  const speakers = load(saved?.speakers);
  const before = load(saved?.before);
  return {
    normalise: (utteranceId, speakerId, input, values) => {
      const own = entry(speakers, speakerId);
      const past = entry(before, utteranceId);
      const known = past.get(input.name);
      const statistics = known ?? own.get(input.name) ?? newStatistics(input.dim);
      const rows = normaliseRows(input, values, globalOf(input), statistics);
      if (!known) {
        past.set(input.name, statistics);
        own.set(input.name, withUtterance(input, rows, statistics));
        speakers.delete(speakerId);
        speakers.set(speakerId, own);
        if (speakers.size > MAX_SPEAKERS) speakers.delete(speakers.keys().next().value as string);
      }
      return rows;
    },
    forget: (utteranceId) => void before.delete(utteranceId),
    save: () => ({ speakers: dump(speakers), before: dump(before) }),
  };
}

function entry(map: Map<string, ByInput>, key: string): ByInput {
  const found = map.get(key) ?? new Map<string, SpeakerStatistics>();
  map.set(key, found);
  return found;
}

function load(saved: SavedSpeakers['speakers'] = {}): Map<string, ByInput> {
  return new Map(
    Object.entries(saved).map(([id, inputs]) => [
      id,
      new Map(Object.entries(inputs).map(([name, s]) => [name, Float64Array.from(s)])),
    ]),
  );
}

function dump(map: ReadonlyMap<string, ByInput>): SavedSpeakers['speakers'] {
  return Object.fromEntries(
    [...map].map(([id, inputs]) => [id, Object.fromEntries([...inputs].map(([name, s]) => [name, [...s]]))]),
  );
}
