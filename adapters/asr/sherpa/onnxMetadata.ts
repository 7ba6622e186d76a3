import { type FileHandle, open } from 'node:fs/promises';

/** Fields of `ModelProto` (onnx/onnx.proto) that every ONNX file has, and the one that holds its metadata. */
const GRAPH = 7;
const METADATA = 14;
/** Metadata of one entry is a few bytes; what is longer is none. */
const MAX_ENTRY_BYTES = 65_536;
const MAX_FIELDS = 10_000;

/**
 * Returns the metadata of an ONNX file, reading nothing but the lengths of its parts; undefined for what is no ONNX file,
 * or one that ends too early. sherpa-onnx ends its process over such files.
 */
export async function readOnnxMetadata(path: string): Promise<ReadonlyMap<string, string> | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return await walk(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function walk(file: FileHandle, size: number): Promise<ReadonlyMap<string, string> | undefined> {
  const metadata = new Map<string, string>();
  let hasGraph = false;
  let at = 0;
  for (let fields = 0; at < size && fields < MAX_FIELDS; fields++) {
    const head = Buffer.alloc(20);
    const { bytesRead } = await file.read(head, 0, head.length, at);
    const part = readField(head.subarray(0, bytesRead));
    if (part === undefined || at + part.headBytes + part.contentBytes > size) return undefined;
    hasGraph ||= part.field === GRAPH;
    if (part.field === METADATA && part.contentBytes <= MAX_ENTRY_BYTES) {
      const content = Buffer.alloc(part.contentBytes);
      await file.read(content, 0, content.length, at + part.headBytes);
      const entry = toEntry(content);
      if (entry) metadata.set(...entry);
    }
    at += part.headBytes + part.contentBytes;
  }
  return hasGraph && at === size ? metadata : undefined;
}

type Field = { readonly field: number; readonly headBytes: number; readonly contentBytes: number };

/** The next field of a protocol buffer: its number and how long its head and content are. */
function readField(bytes: Buffer): Field | undefined {
  const key = readVarint(bytes, 0);
  if (key === undefined || key.value < 8) return undefined;
  const [field, wireType] = [Math.floor(key.value / 8), key.value % 8];
  if (wireType === 1) return { field, headBytes: key.length, contentBytes: 8 };
  if (wireType === 5) return { field, headBytes: key.length, contentBytes: 4 };
  const next = readVarint(bytes, key.length);
  if (next === undefined) return undefined;
  if (wireType === 0) return { field, headBytes: key.length, contentBytes: next.length };
  return wireType === 2 ? { field, headBytes: key.length + next.length, contentBytes: next.value } : undefined;
}

function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly length: number } | undefined {
  let value = 0;
  for (let length = 1; length <= 8; length++) {
    const byte = bytes[from + length - 1];
    if (byte === undefined) return undefined;
    value += (byte % 128) * 128 ** (length - 1);
    if (byte < 128) return { value, length };
  }
  return undefined;
}

/** Key and value of an entry: its fields 1 and 2. */
function toEntry(content: Buffer): [string, string] | undefined {
  const parts = new Map<number, string>();
  for (let at = 0; at < content.length;) {
    const part = readField(content.subarray(at));
    if (part === undefined) return undefined;
    const from = at + part.headBytes;
    at = from + part.contentBytes;
    parts.set(part.field, content.toString('utf8', from, at));
  }
  const [key, value] = [parts.get(1), parts.get(2)];
  return key === undefined ? undefined : [key, value ?? ''];
}
