import { MODALITIES, perModality } from '../domain/modality.ts';
import type { ModelConfig } from './config.ts';
import {
  type ConversationMemory,
  fail,
  parseHeader,
  relativeDim,
  type StateOwner,
  type StatisticsEntry,
  toHeader,
} from './contextHeader.ts';
import { fnv1a } from './fingerprint.ts';
import { MAX_SPEAKERS, type WindowItem } from './incrementalContext.ts';
import type { LstmState } from './ops/lstm.ts';
import type { SavedSpeakers, SavedStatistics } from './speakerMemory.ts';

const MAGIC = 'UTCX';
const VERSION = 2;
const MAX_HEADER_BYTES = 1024 * 1024;

/**
 * Writes a conversation's context as bytes: "UTCX", a 16-bit version, a 32-bit header length, a JSON header, then
 * little-endian numbers (states in 32 bits, then speakers' statistics in 64), and an FNV-1a checksum of all of it.
 * Restoring it continues bit-exactly.
 */
export function encodeMemory(conversation: ConversationMemory, owner: StateOwner): Uint8Array {
  const { memory } = conversation;
  const json = new TextEncoder().encode(JSON.stringify(toHeader(conversation, owner)));
  const floats = [memory.base, ...memory.speakers.values()].flatMap((state) => [state.h, state.c]);
  for (const item of memory.window)
    floats.push(item.d.h, item.d.c, item.s.h, item.s.c, ...(item.fused ? [item.fused] : []));
  const { speakers, before } = conversation.speakers;
  const doubles = [...speakers, ...before].flatMap(({ inputs }) => Object.values(inputs));
  const count = (lists: readonly { readonly length: number }[]): number =>
    lists.reduce((n, list) => n + list.length, 0);
  const blob = new Uint8Array(14 + json.length + 4 * count(floats) + 8 * count(doubles));
  const view = new DataView(blob.buffer);
  blob.set(new TextEncoder().encode(MAGIC));
  view.setUint16(4, VERSION, true);
  view.setUint32(6, json.length, true);
  blob.set(json, 10);
  let at = 10 + json.length;
  for (const part of floats) for (const value of part) view.setFloat32((at += 4) - 4, value, true);
  for (const part of doubles) for (const value of part) view.setFloat64((at += 8) - 8, value, true);
  view.setUint32(at, fnv1a(blob.subarray(0, at)), true);
  return blob;
}

/** Reads what {@link encodeMemory} wrote. @throws UndertoneError BAD_STATE when damaged or made by other weights */
export function decodeMemory(blob: Uint8Array, owner: StateOwner): ConversationMemory {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 14 || blob.length > largestBlob(owner.config) || text(blob.subarray(0, 4)) !== MAGIC)
    fail('not a context state');
  if (view.getUint16(4, true) !== VERSION) fail(`version ${view.getUint16(4, true)} is not ${VERSION}`);
  const end = blob.length - 4;
  if (view.getUint32(end, true) !== fnv1a(blob.subarray(0, end))) fail('its checksum does not fit');
  const start = 10 + view.getUint32(6, true);
  if (start > end) fail('it ends inside its header');
  const header = parseHeader(blob.subarray(10, start), owner);
  const numbers = createNumbers(view, start, end);
  const state = (): LstmState => ({ h: numbers.floats(header.hidden), c: numbers.floats(header.hidden) });
  const base = state();
  const speakers = new Map(header.speakers.map((id) => [id, state()]));
  const window: WindowItem[] = header.window.map((item) => {
    const d = state();
    const s = state();
    const fused = item.modes.length > 0 ? numbers.floats(3 * header.width) : undefined;
    return { id: item.id, speakerId: item.speaker, d, s, fused, gates: undefined };
  });
  const statistics = (entry: StatisticsEntry): SavedStatistics =>
    Object.fromEntries(entry.inputs.map((name) => [name, numbers.statistics(relativeDim(owner.config, name) ?? 0)]));
  const saved: SavedSpeakers = {
    speakers: header.statistics.speakers.map((entry) => ({ id: entry.id, inputs: statistics(entry) })),
    before: header.statistics.before.map((entry) => ({
      id: entry.id,
      speaker: entry.speaker,
      inputs: statistics(entry),
    })),
  };
  if (numbers.left() !== 0) fail('it is longer than its header says');
  const heard = new Map(
    header.window.map(({ id, modes, weights }) => [
      id,
      { modes, weights: perModality((m) => weights[MODALITIES.indexOf(m)] ?? 0) },
    ]),
  );
  return { memory: { base, speakers, window }, heard, speakers: saved };
}

/** Reads the numbers behind the header, one after the other; none that is not finite and none beyond the end. */
function createNumbers(
  view: DataView,
  start: number,
  end: number,
): {
  floats(count: number): Float32Array;
  statistics(dim: number): readonly number[];
  left(): number;
} {
  let at = start;
  const take = (bytes: number): number => {
    if (at + bytes > end) fail('it ends too early');
    at += bytes;
    return at - bytes;
  };
  const finite = <T extends readonly number[] | Float32Array>(values: T): T =>
    values.every(Number.isFinite) ? values : fail('it holds NaN or infinity');
  return {
    floats: (count) => {
      const from = take(4 * count);
      return finite(Float32Array.from({ length: count }, (_, i) => view.getFloat32(from + 4 * i, true)));
    },
    statistics: (dim) => {
      const from = take(8 * (1 + 2 * dim));
      const values = finite(Array.from({ length: 1 + 2 * dim }, (_, i) => view.getFloat64(from + 8 * i, true)));
      if (!values.every((x, i) => x >= 0 || (i > 0 && i <= dim))) fail('its statistics are not valid');
      return values;
    },
    left: () => end - at,
  };
}

/** Bytes of a state in which everything that is bounded is as large as it may be. */
function largestBlob(config: ModelConfig): number {
  const state = 8 * config.contextHidden;
  const window = config.lookAhead * (2 * state + 12 * config.width);
  const relative = config.inputs.reduce((sum, input) => sum + (input.speakerRelative ? 1 + 2 * input.dim : 0), 0);
  const statistics = 8 * relative * (MAX_SPEAKERS + config.lookAhead);
  return 14 + MAX_HEADER_BYTES + (1 + MAX_SPEAKERS) * state + window + statistics;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
