import { UndertoneError } from '../errors.ts';
import { MODALITIES, type PerModality, perModality } from '../domain/modality.ts';
import type { ModelConfig } from './config.ts';
import { fnv1a } from './fingerprint.ts';
import { type ContextMemory, MAX_SPEAKERS, type WindowItem } from './incrementalContext.ts';
import type { LstmState } from './ops/lstm.ts';
import type { SavedSpeakers } from './speakerMemory.ts';

/** Everything that a conversation's state consists of. */
export type ConversationMemory = {
  readonly memory: ContextMemory;
  readonly weights: ReadonlyMap<string, PerModality<number>>;
  readonly speakers: SavedSpeakers;
};

const MAGIC = 'UTCX';
const VERSION = 1;
const MAX_BLOB_BYTES = 4 * 1024 * 1024;

/** What a state must fit: the network's shape and the fingerprint of its weights. */
export type StateOwner = { readonly config: ModelConfig; readonly fingerprint: number };

type Header = {
  readonly weights: number;
  readonly width: number;
  readonly hidden: number;
  readonly labels: number;
  readonly speakers: readonly string[];
  readonly statistics: SavedSpeakers;
  readonly window: readonly { id: string; speaker: string; heard: boolean; weights: readonly number[] }[];
};

/**
 * Writes a conversation's context as bytes: "UTCX", a 16-bit version, a 32-bit header length, a JSON header, then 32-bit
 * little-endian floats, and an FNV-1a checksum of all of it. Restoring it continues bit-exactly.
 */
export function encodeMemory(conversation: ConversationMemory, owner: StateOwner): Uint8Array {
  const { memory, weights } = conversation;
  const { config } = owner;
  const header: Header = {
    weights: owner.fingerprint,
    width: config.width,
    hidden: config.contextHidden,
    labels: config.labels.length,
    speakers: [...memory.speakers.keys()],
    statistics: conversation.speakers,
    window: memory.window.map(({ id, speakerId, fused }) => ({
      id,
      speaker: speakerId,
      heard: fused !== undefined,
      weights: MODALITIES.map((m) => weights.get(id)?.[m] ?? 0),
    })),
  };
  const floats = [memory.base, ...memory.speakers.values()].flatMap((state) => [state.h, state.c]);
  for (const item of memory.window)
    floats.push(item.d.h, item.d.c, item.s.h, item.s.c, ...(item.fused ? [item.fused] : []));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const blob = new Uint8Array(14 + json.length + 4 * floats.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(blob.buffer);
  blob.set(new TextEncoder().encode(MAGIC));
  view.setUint16(4, VERSION, true);
  view.setUint32(6, json.length, true);
  blob.set(json, 10);
  let at = 10 + json.length;
  for (const part of floats) for (const value of part) view.setFloat32((at += 4) - 4, value, true);
  view.setUint32(at, fnv1a(blob.subarray(0, at)), true);
  return blob;
}

/** Reads what {@link encodeMemory} wrote. @throws UndertoneError BAD_STATE when damaged or made by other weights */
export function decodeMemory(blob: Uint8Array, owner: StateOwner): ConversationMemory {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 14 || blob.length > MAX_BLOB_BYTES || new TextDecoder().decode(blob.subarray(0, 4)) !== MAGIC)
    fail('not a context state');
  if (view.getUint16(4, true) !== VERSION) fail(`version ${view.getUint16(4, true)} is not ${VERSION}`);
  const end = blob.length - 4;
  if (view.getUint32(end, true) !== fnv1a(blob.subarray(0, end))) fail('its checksum does not fit');
  const start = 10 + view.getUint32(6, true);
  if (start > end) fail('it ends inside its header');
  const header = parseHeader(blob.subarray(10, start), owner);
  let at = start;
  const floats = (count: number): Float32Array => {
    if (at + 4 * count > end) fail('it ends too early');
    const values = Float32Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
    if (!values.every(Number.isFinite)) fail('it holds NaN or infinity');
    at += 4 * count;
    return values;
  };
  const state = (): LstmState => ({ h: floats(header.hidden), c: floats(header.hidden) });
  const base = state();
  const speakers = new Map(header.speakers.map((id) => [id, state()]));
  const window: WindowItem[] = header.window.map((item) => {
    const d = state();
    const s = state();
    return {
      id: item.id,
      speakerId: item.speaker,
      d,
      s,
      fused: item.heard ? floats(3 * header.width) : undefined,
      gates: undefined,
    };
  });
  if (at !== end) fail('it is longer than its header says');
  const weights = new Map(
    header.window.map((item) => [item.id, perModality((m) => item.weights[MODALITIES.indexOf(m)] ?? 0)]),
  );
  return { memory: { base, speakers, window }, weights, speakers: header.statistics };
}

function parseHeader(bytes: Uint8Array, { config, fingerprint }: StateOwner): Header {
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
  const strings = (list: unknown): boolean => Array.isArray(list) && list.every((x) => typeof x === 'string');
  if (!strings(header.speakers) || header.speakers.length > MAX_SPEAKERS) fail('its speakers are not valid');
  if (!Array.isArray(header.window) || header.window.length > config.lookAhead) fail('its window is not valid');
  if (!(header.window as readonly unknown[]).every(isWindowEntry)) fail('its window is not valid');
  const { speakers, before } = (header.statistics ?? {}) as Record<string, unknown>;
  if (!isList(speakers, MAX_SPEAKERS) || !isList(before, config.lookAhead)) fail('its statistics are not valid');
  if (![...speakers, ...before].every((entry) => isStatistics(entry, config))) fail('its statistics are not valid');
  return header;
}

function isWindowEntry(value: unknown): boolean {
  const { id, speaker, weights } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof id === 'string' && typeof speaker === 'string' && Array.isArray(weights) && weights.every(Number.isFinite)
  );
}

function isList(value: unknown, max: number): value is unknown[] {
  return Array.isArray(value) && value.length <= max;
}

/** Whose statistics, and per input a count, a mean and a sum of squares for each of its numbers. */
function isStatistics(entry: unknown, config: ModelConfig): boolean {
  const { id, speaker, inputs } = (entry ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || (speaker !== undefined && typeof speaker !== 'string')) return false;
  if (typeof inputs !== 'object' || inputs === null) return false;
  return Object.entries(inputs).every(([name, values]: [string, unknown]) => {
    const dim = config.inputs.find((input) => input.name === name)?.dim;
    if (dim === undefined || !isList(values, 1 + 2 * dim) || values.length !== 1 + 2 * dim) return false;
    return values.every((x, i) => Number.isFinite(x) && ((x as number) >= 0 || (i > 0 && i <= dim)));
  });
}

function fail(rule: string): never {
  throw new UndertoneError('BAD_STATE', `context state: ${rule}`);
}
