import { UndertoneError } from '../errors.ts';
import { fromFloat16, toFloat16 } from './float16.ts';

/** A tensor of a safetensors file, as 32-bit floats. */
export type StoredTensor = { readonly shape: readonly number[]; readonly values: Float32Array };

/** What a safetensors file holds. `metadata` maps strings to strings. */
export type SafetensorsFile = {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
};

const MAX_HEADER_BYTES = 8 * 1024 * 1024;
const MAX_TENSORS = 4096;
const MAX_ELEMENTS = 1 << 28;
const BYTES = { F32: 4, F16: 2 } as const;
type Dtype = keyof typeof BYTES;
const MAX_METADATA_BYTES = 4 * 1024 * 1024;

/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, raw little-endian data. Nothing in it is executed.
 * Every length, type, shape and offset is checked before a byte is used; tensors must cover the data without holes or
 * overlap, as the format demands. @throws UndertoneError BAD_WEIGHTS with the rule that is broken
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  if (bytes.length < 8) fail('the file is shorter than its 8-byte length field');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    fail(`the header claims ${length} bytes; at most ${MAX_HEADER_BYTES} are read`);
  const start = 8 + Number(length);
  if (start > bytes.length) fail(`the file ends inside its header (${bytes.length} of ${start} bytes)`);
  const header = parseHeader(bytes.subarray(8, start));
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  if (entries.length > MAX_TENSORS) fail(`more than ${MAX_TENSORS} tensors`);
  const parsed = entries.map(([name, entry]) => parseEntry(name, entry)).sort((a, b) => a.from - b.from || a.to - b.to);
  let expected = 0;
  for (const { name, from, to } of parsed) {
    if (from !== expected) fail(`tensor ${quote(name)} leaves a hole or overlaps another`);
    expected = to;
  }
  if (expected !== bytes.length - start)
    fail(`the data has ${bytes.length - start} bytes, the header describes ${expected}`);
  const tensors = new Map(
    parsed.map((t) => [t.name, { shape: t.shape, values: readValues(view, start + t.from, t.dtype, t.count) }]),
  );
  return { tensors, metadata: parseMetadata(header['__metadata__']) };
}

/** Writes a safetensors file; tensors in order of name, so equal content gives equal bytes. Data is 8-byte aligned. */
export function encodeSafetensors(file: SafetensorsFile, dtype: Dtype): Uint8Array {
  const names = [...file.tensors.keys()].sort();
  // Without a prototype, so that a tensor may be called "__proto__".
  const header = Object.assign(Object.create(null) as Record<string, unknown>, { __metadata__: file.metadata });
  let at = 0;
  for (const name of names) {
    const { shape, values } = file.tensors.get(name) as StoredTensor;
    header[name] = { dtype, shape, data_offsets: [at, (at += values.length * BYTES[dtype])] };
  }
  let json = new TextEncoder().encode(JSON.stringify(header));
  if (json.length % 8 !== 0) json = Uint8Array.from([...json, ...new Array<number>(8 - (json.length % 8)).fill(0x20)]);
  const out = new Uint8Array(8 + json.length + at);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  let offset = 8 + json.length;
  for (const name of names)
    for (const value of (file.tensors.get(name) as StoredTensor).values) {
      if (dtype === 'F32') view.setFloat32(offset, value, true);
      else view.setUint16(offset, toFloat16(value), true);
      offset += BYTES[dtype];
    }
  return out;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    fail('the header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('the header is not an object');
  return header as Record<string, unknown>;
}

type Entry = { name: string; dtype: Dtype; shape: number[]; count: number; from: number; to: number };

function parseEntry(name: string, entry: unknown): Entry {
  if (name.length > 256) fail('a tensor name is longer than 256 characters');
  const {
    dtype,
    shape,
    data_offsets: offsets,
  } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  if (dtype !== 'F32' && dtype !== 'F16') return fail(`tensor ${quote(name)} has a type other than F32 and F16`);
  if (!isCounts(shape) || shape.length > 8) return fail(`tensor ${quote(name)} has an invalid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) return fail(`tensor ${quote(name)} has invalid offsets`);
  const count = shape.reduce((a, b) => a * b, 1);
  if (count > MAX_ELEMENTS) fail(`tensor ${quote(name)} has more than ${MAX_ELEMENTS} elements`);
  const [from, to] = offsets as [number, number];
  if (to - from !== count * BYTES[dtype]) fail(`tensor ${quote(name)}: its shape and its offsets disagree`);
  return { name, dtype, shape, count, from, to };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail('__metadata__ is not an object');
  const entries = Object.entries(value);
  if (!entries.every(([, text]) => typeof text === 'string' && text.length <= MAX_METADATA_BYTES))
    fail('__metadata__ holds something other than text');
  return Object.fromEntries(entries);
}

function readValues(view: DataView, at: number, dtype: Dtype, count: number): Float32Array {
  const values = new Float32Array(count);
  if (dtype === 'F32') for (let i = 0; i < count; i++) values[i] = view.getFloat32(at + 4 * i, true);
  else for (let i = 0; i < count; i++) values[i] = fromFloat16(view.getUint16(at + 2 * i, true));
  return values;
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}

function fail(rule: string): never {
  throw new UndertoneError('BAD_WEIGHTS', `weights: not a valid safetensors file: ${rule}`);
}
