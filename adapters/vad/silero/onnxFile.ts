/** What an attribute of an operator may hold here: a whole number. */
export type OnnxAttributes = Readonly<Record<string, number>>;

/** The parts of a graph that is being written, each in the bytes of its field. */
export type OnnxGraph = {
  input(name: string, shape: readonly (number | string)[]): void;
  output(name: string, shape: readonly (number | string)[]): void;
  /** Numbers that are part of the model, row-major; whole ones are 64-bit. */
  floats(name: string, shape: readonly number[], values: Float32Array): void;
  integers(name: string, values: readonly number[]): void;
  /** An operator; an input or output that is not used has the name ''. */
  node(operator: string, inputs: readonly string[], outputs: readonly string[], attributes?: OnnxAttributes): void;
  /** The whole model in the format of .onnx files. */
  bytes(): Uint8Array;
};

/** Version of the format, and of the meaning of its operators. */
const IR_VERSION = 8;
const OPERATORS_VERSION = 14;
const [FLOAT, INT64] = [1, 7] as const;
const ATTRIBUTE_OF_INT = 2;

/** Returns a graph without anything in it. Source of the numbers of fields: onnx.proto3 of ONNX 1.17. */
export function createOnnxGraph(name: string): OnnxGraph {
  const parts: Uint8Array[] = [field(2, name)];
  const tensor = (type: number, [title, shape]: readonly [string, readonly number[]], raw: ArrayBufferView): void => {
    const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
    parts.push(field(5, joined([...shape.map((n) => whole(1, n)), whole(2, type), field(8, title), field(9, bytes)])));
  };
  const port = (number: number, title: string, shape: readonly (number | string)[]): void => {
    const sizes = shape.map((size) => field(1, typeof size === 'number' ? whole(1, size) : field(2, size)));
    const type = field(1, joined([whole(1, FLOAT), field(2, joined(sizes))]));
    parts.push(field(number, joined([field(1, title), field(2, type)])));
  };
  return {
    input: (title, shape) => port(11, title, shape),
    output: (title, shape) => port(12, title, shape),
    floats: (title, shape, values) => tensor(FLOAT, [title, shape], values),
    integers: (title, values) => tensor(INT64, [title, [values.length]], BigInt64Array.from(values, BigInt)),
    node: (operator, inputs, outputs, attributes = {}) => {
      const settings = Object.entries(attributes).map(([title, value]) =>
        field(5, joined([field(1, title), whole(3, value), whole(20, ATTRIBUTE_OF_INT)])),
      );
      const ends = [...inputs.map((title) => field(1, title)), ...outputs.map((title) => field(2, title))];
      parts.push(field(1, joined([...ends, field(4, operator), ...settings])));
    },
    bytes: () => joined([whole(1, IR_VERSION), field(7, joined(parts)), field(8, whole(2, OPERATORS_VERSION))]),
  };
}

/**
 * Returns the constants of 32-bit numbers of an .onnx file, those of its branches included, by name and shape: `bias[128]`.
 * Where two have both in common the later one counts. @throws RangeError when the bytes are not such a file
 */
export function readOnnxConstants(bytes: Uint8Array): ReadonlyMap<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  const readGraph = (graph: Uint8Array): void => {
    for (const node of partsOf(graph, 1))
      for (const attribute of partsOf(node, 5)) {
        for (const tensor of partsOf(attribute, 5)) readTensor(tensor, found);
        for (const branch of partsOf(attribute, 6)) readGraph(branch);
      }
  };
  for (const graph of partsOf(bytes, 7)) readGraph(graph);
  return found;
}

function readTensor(tensor: Uint8Array, to: Map<string, Float32Array>): void {
  const shape: number[] = [];
  let isFloat = false;
  for (const { number, value } of fieldsOf(tensor)) {
    if (number === 1) shape.push(...(typeof value === 'number' ? [value] : wholesOf(value)));
    if (number === 2) isFloat = value === FLOAT;
  }
  const [name] = partsOf(tensor, 8);
  const [raw] = partsOf(tensor, 9);
  if (!isFloat || !name || !raw || raw.length % 4 !== 0) return;
  to.set(`${new TextDecoder().decode(name)}[${shape.join()}]`, new Float32Array(Uint8Array.from(raw).buffer));
}

type Field = { readonly number: number; readonly value: number | Uint8Array };

/** The fields of a message of protocol buffers: whole numbers and bytes; those of fixed size are passed over. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length;) {
    const key = readWhole(bytes, at);
    const [number, kind] = [key.value >>> 3, key.value & 7];
    at = key.end;
    if (kind === 0 || kind === 2) {
      const { value, end } = readWhole(bytes, at);
      at = kind === 0 ? end : end + value;
      if (at > bytes.length) throw new RangeError('onnx: a field is longer than what holds it');
      yield { number, value: kind === 0 ? value : bytes.subarray(end, at) };
    } else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else throw new RangeError('onnx: a field of a kind that does not exist');
  }
}

/** The fields of a number that hold bytes. */
function partsOf(bytes: Uint8Array, number: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const field of fieldsOf(bytes))
    if (field.number === number && typeof field.value !== 'number') parts.push(field.value);
  return parts;
}

function* wholesOf(bytes: Uint8Array): Generator<number> {
  for (let at = 0; at < bytes.length;) {
    const { value, end } = readWhole(bytes, at);
    at = end;
    yield value;
  }
}

/** Seven bits a byte, the lowest first. Numbers beyond 2^53 and negative ones, which are not read here, lose their last bits. */
function readWhole(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length && at < from + 10; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new RangeError('onnx: a number does not end');
}

function writeWhole(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Uint8Array.from([...bytes, Number(left)]);
}

function whole(number: number, value: number): Uint8Array {
  return joined([writeWhole(number << 3), writeWhole(value)]);
}

function field(number: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined([writeWhole((number << 3) | 2), writeWhole(bytes.length), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
