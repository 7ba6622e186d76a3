/** One value of a table: its field number, and what stands there. */
export type Field = readonly [field: number, value: Value];
/** A byte, the words of a vector, a text, a table, or a vector of tables or numbers. */
export type Value =
  | { readonly byte: number }
  | { readonly text: string }
  | { readonly table: readonly Field[] }
  | { readonly tables: readonly (readonly Field[])[] }
  | { readonly floats: readonly number[] };

/** Names a table's inline size: 4 for its own reference, 4 for each field (bytes are padded). */
const SLOT = 4;
const MAX_BYTES = 4_096;

/**
 * Returns a flatbuffer whose root is `root`: every reference points forward, every field takes four bytes. Same input, same bytes.
 * Source: FlatBuffers internals (flatbuffers.dev/internals); only what TFLite metadata needs.
 * @param identifier Four ASCII characters.
 * @throws RangeError when the result would be larger than 4096 bytes.
 */
export function encodeFlatbuffer(identifier: string, root: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(MAX_BYTES);
  const view = new DataView(bytes.buffer);
  let end = 8;
  const take = (size: number): number => {
    const at = Math.ceil(end / SLOT) * SLOT;
    if (at + size > MAX_BYTES) throw new RangeError(`the flatbuffer must fit ${MAX_BYTES} bytes`);
    end = at + size;
    return at;
  };
  const writeTable = (fields: readonly Field[]): number => {
    const count = Math.max(0, ...fields.map(([field]) => field + 1));
    const vtable = take(4 + 2 * count);
    const table = take(SLOT + SLOT * fields.length);
    view.setUint16(vtable, 4 + 2 * count, true);
    view.setUint16(vtable + 2, SLOT + SLOT * fields.length, true);
    view.setInt32(table, table - vtable, true);
    fields.forEach(([field], i) => view.setUint16(vtable + 4 + 2 * field, SLOT + SLOT * i, true));
    fields.forEach(([, value], i) => writeValue(table + SLOT + SLOT * i, value));
    return table;
  };
  const writeVector = (count: number): number => {
    const at = take(SLOT + SLOT * count);
    view.setUint32(at, count, true);
    return at;
  };
  const refer = (slot: number, target: number): void => view.setUint32(slot, target - slot, true);
  const writeValue = (slot: number, value: Value): void => {
    if ('byte' in value) view.setUint8(slot, value.byte);
    else if ('table' in value) refer(slot, writeTable(value.table));
    else if ('text' in value) {
      const at = take(SLOT + value.text.length + 1);
      view.setUint32(at, value.text.length, true);
      bytes.set(new TextEncoder().encode(value.text), at + SLOT);
      refer(slot, at);
    } else if ('floats' in value) {
      const at = writeVector(value.floats.length);
      value.floats.forEach((number, i) => view.setFloat32(at + SLOT + SLOT * i, number, true));
      refer(slot, at);
    } else {
      const at = writeVector(value.tables.length);
      refer(slot, at);
      value.tables.forEach((fields, i) => refer(at + SLOT + SLOT * i, writeTable(fields)));
    }
  };
  bytes.set(new TextEncoder().encode(identifier), 4);
  view.setUint32(0, writeTable(root), true);
  return bytes.slice(0, Math.ceil(end / SLOT) * SLOT);
}
