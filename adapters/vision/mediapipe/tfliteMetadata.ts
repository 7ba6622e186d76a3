import { encodeFlatbuffer } from './flatbuffer.ts';

/** What a task must know of a model's input: each channel becomes (byte - mean) / deviation. */
export type ImageInput = { readonly name: string; readonly mean: number; readonly deviation: number };

/** Fields of TFLite's `Model` table. */
const MODEL_FIELDS = 8;
const VERSION = 0;
const BUFFERS = 4;
const METADATA = 6;
const SLOT = 4;
/** The weights keep their alignment when what comes before them is a multiple of this. */
const ALIGNMENT = 64;
const TITLE = 'TFLITE_METADATA';

/**
 * Returns TFLite metadata that says how pictures are normalised, as MediaPipe's tasks want it in the model file.
 * Source: metadata_schema.fbs of TFLite Support (`ModelMetadata` → `SubGraphMetadata` → `TensorMetadata` → image
 * properties and normalisation).
 */
export function imageMetadata({ name, mean, deviation }: ImageInput): Uint8Array {
  const rgb = { table: [[0, { byte: 1 }]] } as const;
  const content = {
    table: [
      [0, { byte: 2 }],
      [1, rgb],
    ],
  } as const;
  const normalization = {
    table: [
      [0, { floats: [mean] }],
      [1, { floats: [deviation] }],
    ],
  } as const;
  const tensor = [
    [0, { text: 'image' }],
    [3, content],
    [
      4,
      {
        tables: [
          [
            [0, { byte: 1 }],
            [1, normalization],
          ],
        ],
      },
    ],
  ] as const;
  return encodeFlatbuffer('M001', [
    [0, { text: name }],
    [3, { tables: [[[2, { tables: [tensor] }]]] }],
  ]);
}

/**
 * Returns the TFLite model with `metadata` added as its last buffer. The model's own bytes follow unchanged behind a new
 * root table that refers to them, so nothing of it is re-encoded. Same input, same bytes.
 * @throws RangeError when `model` is not a TFLite file.
 */
export function withMetadata(model: Uint8Array, metadata: Uint8Array): Uint8Array {
  const old = readModel(model);
  const head = new Head(1_024 + SLOT * old.buffers.length + metadata.length);
  head.bytes.set(new TextEncoder().encode('TFL3'), 4);
  const fields = old.targets.map(
    (target, field) => field === VERSION || field === BUFFERS || field === METADATA || target > 0,
  );
  const vtable = head.take(4 + 2 * MODEL_FIELDS);
  const table = head.take(SLOT + SLOT * MODEL_FIELDS);
  head.view.setUint32(0, table, true);
  head.view.setInt32(table, table - vtable, true);
  head.view.setUint16(vtable, 4 + 2 * MODEL_FIELDS, true);
  head.view.setUint16(vtable + 2, SLOT + SLOT * MODEL_FIELDS, true);
  const slotOf = (field: number): number => table + SLOT + SLOT * field;
  fields.forEach((isThere, field) =>
    head.view.setUint16(vtable + 4 + 2 * field, isThere ? SLOT + SLOT * field : 0, true),
  );
  head.view.setUint32(slotOf(VERSION), old.version, true);
  old.targets.forEach((target, field) => {
    if (target > 0 && field !== VERSION && field !== BUFFERS && field !== METADATA) head.later(slotOf(field), target);
  });
  const entry = head.vector(slotOf(METADATA), old.metadata);
  writeEntry(head, entry, old.buffers.length);
  const buffer = head.vector(slotOf(BUFFERS), old.buffers);
  writeBuffer(head, buffer, metadata);
  return head.before(model);
}

/** A `Metadata` table: name and number of its buffer. */
function writeEntry(head: Head, slot: number, buffer: number): void {
  const vtable = head.take(8);
  const table = head.take(3 * SLOT);
  head.view.setUint16(vtable, 8, true);
  head.view.setUint16(vtable + 2, 3 * SLOT, true);
  head.view.setUint16(vtable + 4, SLOT, true);
  head.view.setUint16(vtable + 6, 2 * SLOT, true);
  head.view.setInt32(table, table - vtable, true);
  head.refer(slot, table);
  head.view.setUint32(table + 2 * SLOT, buffer, true);
  const text = head.take(SLOT + TITLE.length + 1);
  head.view.setUint32(text, TITLE.length, true);
  head.bytes.set(new TextEncoder().encode(TITLE), text + SLOT);
  head.refer(table + SLOT, text);
}

/** A `Buffer` table: its bytes, which the schema wants at a multiple of 16. */
function writeBuffer(head: Head, slot: number, content: Uint8Array): void {
  const vtable = head.take(6);
  const table = head.take(2 * SLOT);
  head.view.setUint16(vtable, 6, true);
  head.view.setUint16(vtable + 2, 2 * SLOT, true);
  head.view.setUint16(vtable + 4, SLOT, true);
  head.view.setInt32(table, table - vtable, true);
  head.refer(slot, table);
  const padded = head.take(16 + SLOT + content.length);
  const at = Math.ceil((padded + SLOT) / 16) * 16 - SLOT;
  head.view.setUint32(at, content.length, true);
  head.bytes.set(content, at + SLOT);
  head.refer(table + SLOT, at);
}

/** What is written before the model: references into it are set when the length is known. */
class Head {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #end = 8;
  readonly #later: (readonly [slot: number, target: number])[] = [];

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  take(size: number): number {
    const at = Math.ceil(this.#end / SLOT) * SLOT;
    this.#end = at + size;
    return at;
  }

  refer(slot: number, target: number): void {
    this.view.setUint32(slot, target - slot, true);
  }

  later(slot: number, target: number): void {
    this.#later.push([slot, target]);
  }

  /** A vector of tables of the model and one more; returns the slot of that one. */
  vector(slot: number, targets: readonly number[]): number {
    const at = this.take(SLOT + SLOT * (targets.length + 1));
    this.refer(slot, at);
    this.view.setUint32(at, targets.length + 1, true);
    targets.forEach((target, i) => this.later(at + SLOT + SLOT * i, target));
    return at + SLOT + SLOT * targets.length;
  }

  before(model: Uint8Array): Uint8Array {
    const length = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    for (const [slot, target] of this.#later) this.refer(slot, length + target);
    const whole = new Uint8Array(length + model.length);
    whole.set(this.bytes.subarray(0, this.#end));
    whole.set(model, length);
    return whole;
  }
}

type OldModel = {
  readonly version: number;
  /** Where each field's table or vector is in the file; 0 when the field is not there. */
  readonly targets: readonly number[];
  readonly buffers: readonly number[];
  readonly metadata: readonly number[];
};

function readModel(model: Uint8Array): OldModel {
  if (new TextDecoder().decode(model.subarray(4, 8)) !== 'TFL3') throw new RangeError('model must be a TFLite file');
  const view = new DataView(model.buffer, model.byteOffset, model.byteLength);
  const root = view.getUint32(0, true);
  const vtable = root - view.getInt32(root, true);
  const size = view.getUint16(vtable, true);
  const slots = Array.from({ length: MODEL_FIELDS }, (_, field) => {
    const at = 4 + 2 * field;
    const offset = at < size ? view.getUint16(vtable + at, true) : 0;
    return offset > 0 ? root + offset : 0;
  });
  const targets = slots.map((slot, field) => (slot > 0 && field !== VERSION ? slot + view.getUint32(slot, true) : 0));
  const tables = (vector: number): number[] =>
    vector === 0
      ? []
      : Array.from({ length: view.getUint32(vector, true) }, (_, i) => {
          const slot = vector + SLOT + SLOT * i;
          return slot + view.getUint32(slot, true);
        });
  return {
    version: slots[VERSION] ? view.getUint32(slots[VERSION], true) : 3,
    targets,
    buffers: tables(targets[BUFFERS] ?? 0),
    metadata: tables(targets[METADATA] ?? 0),
  };
}
