import { UndertoneError } from '../errors.ts';
import { MODALITIES, type PerModality } from '../domain/modality.ts';
import { type Mode, type ModelConfig, MODES } from './config.ts';
import { type ContextMemory, MAX_SPEAKERS } from './incrementalContext.ts';
import type { SavedSpeakers } from './speakerMemory.ts';

/** How an utterance of the window was heard: what its modalities weigh, and the modes, in the order of MODES. */
export type HeardAs = { readonly weights: PerModality<number>; readonly modes: readonly Mode[] };

/** Everything that a conversation's state consists of. */
export type ConversationMemory = {
  readonly memory: ContextMemory;
  readonly heard: ReadonlyMap<string, HeardAs>;
  readonly speakers: SavedSpeakers;
};

/** What a state must fit: the network's shape and the fingerprint of its weights. */
export type StateOwner = { readonly config: ModelConfig; readonly fingerprint: number };

/** Whose statistics, and of which inputs; the numbers follow behind the header. */
export type StatisticsEntry = { readonly id: string; readonly speaker?: string; readonly inputs: readonly string[] };
/** The header of a state: everything in it that is not a number of the network or of the statistics. */
export type Header = {
  readonly weights: number;
  readonly width: number;
  readonly hidden: number;
  readonly labels: number;
  readonly speakers: readonly string[];
  readonly statistics: {
    readonly speakers: readonly StatisticsEntry[];
    readonly before: readonly Required<StatisticsEntry>[];
  };
  /** `modes` is empty when the utterance was not heard at all. */
  readonly window: readonly {
    readonly id: string;
    readonly speaker: string;
    readonly modes: readonly Mode[];
    readonly weights: readonly number[];
  }[];
};

/** Describes a conversation's state; the numbers follow behind, in the order of the lists. */
export function toHeader({ memory, heard, speakers }: ConversationMemory, { config, fingerprint }: StateOwner): Header {
  return {
    weights: fingerprint,
    width: config.width,
    hidden: config.contextHidden,
    labels: config.labels.length,
    speakers: [...memory.speakers.keys()],
    statistics: {
      speakers: speakers.speakers.map(({ id, inputs }) => ({ id, inputs: Object.keys(inputs) })),
      before: speakers.before.map(({ id, speaker, inputs }) => ({ id, speaker, inputs: Object.keys(inputs) })),
    },
    window: memory.window.map(({ id, speakerId, fused }) => ({
      id,
      speaker: speakerId,
      modes: fused ? (heard.get(id)?.modes ?? []) : [],
      weights: MODALITIES.map((m) => heard.get(id)?.weights[m] ?? 0),
    })),
  };
}

/** Checks a header that came with a state. @throws UndertoneError BAD_STATE with the rule it breaks */
export function parseHeader(bytes: Uint8Array, { config, fingerprint }: StateOwner): Header {
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Header;
  } catch {
    return fail('its header is not JSON');
  }
  if (
    header?.weights !== fingerprint ||
    header.width !== config.width ||
    header.hidden !== config.contextHidden ||
    header.labels !== config.labels.length
  )
    fail('it was made by other weights');
  if (!isStrings(header.speakers) || header.speakers.length > MAX_SPEAKERS) fail('its speakers are not valid');
  if (!isList(header.window, config.lookAhead) || !header.window.every(isWindowEntry)) fail('its window is not valid');
  const { speakers, before } = (header.statistics ?? {}) as Record<string, unknown>;
  if (!isList(speakers, MAX_SPEAKERS) || !isList(before, config.lookAhead)) fail('its statistics are not valid');
  if (!speakers.every((entry) => isStatistics(entry, config))) fail('its statistics are not valid');
  if (!before.every((entry) => isStatistics(entry, config) && typeof entry.speaker === 'string'))
    fail('its statistics are not valid');
  return header;
}

function isWindowEntry(value: unknown): boolean {
  const { id, speaker, weights, modes } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    typeof speaker === 'string' &&
    isList(weights, MODALITIES.length) &&
    weights.every(Number.isFinite) &&
    isStrings(modes) &&
    JSON.stringify(modes) === JSON.stringify(MODES.filter((mode) => modes.includes(mode)))
  );
}

function isStatistics(value: unknown, config: ModelConfig): value is StatisticsEntry {
  const { id, inputs } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || !isStrings(inputs) || new Set(inputs).size !== inputs.length) return false;
  return inputs.every((name) => relativeDim(config, name) !== undefined);
}

/** Returns the width of an input that is seen relative to the speaker; only of those are statistics kept. */
export function relativeDim(config: ModelConfig, name: string): number | undefined {
  return config.inputs.find((input) => input.name === name && input.speakerRelative)?.dim;
}

function isList(value: unknown, max: number): value is unknown[] {
  return Array.isArray(value) && value.length <= max;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((x) => typeof x === 'string');
}

/** Refuses a state. @throws UndertoneError BAD_STATE */
export function fail(rule: string): never {
  throw new UndertoneError('BAD_STATE', `context state: ${rule}`);
}
