import type { InputSpec } from './config.ts';
import { MAX_SPEAKERS } from './incrementalContext.ts';
import { newStatistics, normaliseRows, type SpeakerStatistics, withUtterance } from './normalisation.ts';

/** Statistics by input, as they are saved; see {@link SpeakerStatistics}. */
export type SavedStatistics = Readonly<Record<string, readonly number[]>>;

/** What is remembered of speakers, as it is saved; lists, because the order says who was heard last. */
export type SavedSpeakers = {
  readonly speakers: readonly { readonly id: string; readonly inputs: SavedStatistics }[];
  /** As they were before each utterance that can still be revised; `id` is the utterance. */
  readonly before: readonly { readonly id: string; readonly speaker: string; readonly inputs: SavedStatistics }[];
};

/** The running statistics of the speakers of one conversation. */
export type SpeakerMemory = {
  /**
   * Normalises one input of an utterance relative to its speaker and counts it. Asked again for the same utterance (a
   * revision), it answers as it did the first time and counts nothing twice. Asked for another speaker, it takes the
   * utterance back from the first one, unless that one has been heard since, and counts it for the other.
   */
  normalise(utteranceId: string, speakerId: string, input: InputSpec, values: Float32Array): Float32Array;
  /** The utterance is final: it will not be asked for again. */
  forget(utteranceId: string): void;
  save(): SavedSpeakers;
};

type ByInput = Map<string, SpeakerStatistics>;
type Before = { readonly speaker: string; readonly inputs: ByInput };

/** Makes a speaker memory, empty or as saved. At most MAX_SPEAKERS are kept; the one not heard for longest goes first. */
export function createSpeakerMemory(
  globalOf: (input: InputSpec) => { readonly mean: Float32Array; readonly scale: Float32Array },
  saved?: SavedSpeakers,
): SpeakerMemory {
  const speakers = new Map<string, ByInput>(saved?.speakers.map(({ id, inputs }) => [id, load(inputs)]));
  const before = new Map<string, Before>(
    saved?.before.map(({ id, speaker, inputs }) => [id, { speaker, inputs: load(inputs) }]),
  );
  /** Undoes an utterance for its speaker, but not where they have been heard since. */
  const takeBack = (id: string, { speaker, inputs }: Before): void => {
    const later = [...before].slice([...before.keys()].indexOf(id) + 1).map(([, heard]) => heard);
    const own = speakers.get(speaker);
    for (const [name, statistics] of inputs)
      if (!later.some((heard) => heard.speaker === speaker && heard.inputs.has(name))) own?.set(name, statistics);
  };
  const openUtterance = (id: string, speaker: string): ByInput => {
    const known = before.get(id);
    if (known?.speaker === speaker) return known.inputs;
    if (known) takeBack(id, known);
    const inputs: ByInput = new Map();
    before.set(id, { speaker, inputs });
    return inputs;
  };
  return {
    normalise: (utteranceId, speakerId, input, values) => {
      const past = openUtterance(utteranceId, speakerId);
      const known = past.get(input.name);
      const statistics = known ?? speakers.get(speakerId)?.get(input.name) ?? newStatistics(input.dim);
      const rows = normaliseRows(input, values, globalOf(input), statistics);
      if (!known) {
        past.set(input.name, statistics);
        remember(speakers, speakerId, input, withUtterance(input, rows, statistics));
      }
      return rows;
    },
    forget: (utteranceId) => void before.delete(utteranceId),
    save: () => ({
      speakers: [...speakers].map(([id, inputs]) => ({ id, inputs: dump(inputs) })),
      before: [...before].map(([id, { speaker, inputs }]) => ({ id, speaker, inputs: dump(inputs) })),
    }),
  };
}

function remember(
  speakers: Map<string, ByInput>,
  speakerId: string,
  input: InputSpec,
  statistics: SpeakerStatistics,
): void {
  const own = speakers.get(speakerId) ?? new Map<string, SpeakerStatistics>();
  own.set(input.name, statistics);
  speakers.delete(speakerId);
  speakers.set(speakerId, own);
  if (speakers.size > MAX_SPEAKERS) speakers.delete(speakers.keys().next().value as string);
}

function load(inputs: SavedStatistics): ByInput {
  return new Map(Object.entries(inputs).map(([name, values]) => [name, Float64Array.from(values)]));
}

function dump(inputs: ByInput): SavedStatistics {
  return Object.fromEntries([...inputs].map(([name, values]) => [name, [...values]]));
}
