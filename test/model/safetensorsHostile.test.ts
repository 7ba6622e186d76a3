import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/model/safetensors.ts';
import { safetensorsBytes } from '../support/safetensorsBytes.ts';

/** What decoding these bytes throws, as code and message; undefined when they are accepted. */
function refusalOf(bytes: Uint8Array): { code: string; message: string } | undefined {
  try {
    decodeSafetensors(bytes);
    return undefined;
  } catch (error) {
    if (isUndertoneError(error)) return { code: error.code, message: error.message };
    return { code: String(error), message: '' };
  }
}

const entry = (from: unknown, to: unknown, shape: unknown = [1], dtype: unknown = 'F32'): unknown => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const EIGHT = new Uint8Array(8);

describe('decodeSafetensors', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['is empty', new Uint8Array(0), /shorter than its 8-byte/],
    ['claims a header of 2^64 − 1 bytes', safetensorsBytes({}, EIGHT, 2n ** 64n - 1n), /at most 8388608 are read/],
    ['claims a header just above the limit', safetensorsBytes({}, EIGHT, 8_388_609n), /at most 8388608 are read/],
    ['claims a header longer than the file', safetensorsBytes({}, EIGHT, 11n), /ends inside its header/],
    ['has no header', safetensorsBytes('', EIGHT), /not JSON/],
    ['has a header that is not JSON', safetensorsBytes('{"a":', EIGHT), /not JSON/],
    ['has a header that is not UTF-8', safetensorsBytes({}, Uint8Array.of(0xff, 0xfe), 4n), /not JSON/],
    ['has a list as header', safetensorsBytes([]), /not an object/],
    ['has null as header', safetensorsBytes('null'), /not an object/],
    ['nests lists beyond any stack', safetensorsBytes('['.repeat(200_000)), /not JSON/],
    ['has a tensor that is no object', safetensorsBytes({ a: 3 }), /type other than/],
    ['has a tensor that is null', safetensorsBytes({ a: null }), /type other than/],
    ['has a type we do not read', safetensorsBytes({ a: entry(0, 8, [1], 'F64') }, EIGHT), /type other than/],
    ['names a type after an object member', safetensorsBytes({ a: entry(0, 8, [1], 'toString') }, EIGHT), /type other/],
    ['has a shape that is no list', safetensorsBytes({ a: entry(0, 4, 1) }, EIGHT), /invalid shape/],
    ['has a negative dimension', safetensorsBytes({ a: entry(0, 4, [-1, -1]) }, EIGHT), /invalid shape/],
    ['has half a dimension', safetensorsBytes({ a: entry(0, 4, [0.5, 2]) }, EIGHT), /invalid shape/],
    ['has a dimension beyond 2^53', safetensorsBytes({ a: entry(0, 4, [2 ** 53 + 2]) }, EIGHT), /invalid shape/],
    ['has too many dimensions', safetensorsBytes({ a: entry(0, 4, new Array(9).fill(1)) }, EIGHT), /invalid shape/],
    ['has more elements than are read', safetensorsBytes({ a: entry(0, 4, [2 ** 40]) }, EIGHT), /more than 268435456/],
    [
      'has dimensions whose product overflows',
      safetensorsBytes({ a: entry(0, 4, [2 ** 52, 2 ** 52, 2 ** 52]) }, EIGHT),
      /more than 268435456/,
    ],
    ['has three offsets', safetensorsBytes({ a: { ...(entry(0, 4) as object), data_offsets: [0, 4, 8] } }), /offsets/],
    ['has negative offsets', safetensorsBytes({ a: entry(-4, 0) }, EIGHT), /invalid offsets/],
    ['has offsets beyond 2^53', safetensorsBytes({ a: entry(2 ** 53, 2 ** 53 + 4) }, EIGHT), /invalid offsets/],
    ['has offsets in text', safetensorsBytes({ a: entry('0', '4') }, EIGHT), /invalid offsets/],
    ['has offsets in the wrong order', safetensorsBytes({ a: entry(4, 0) }, EIGHT), /disagree/],
    ['has offsets that do not fit the shape', safetensorsBytes({ a: entry(0, 8) }, EIGHT), /disagree/],
    [
      'reaches beyond its data',
      safetensorsBytes({ a: entry(0, 12, [3]) }, EIGHT),
      /has 8 bytes, the header describes 12/,
    ],
    ['leaves a hole at the beginning', safetensorsBytes({ a: entry(4, 8) }, EIGHT), /hole or overlaps/],
    ['leaves a hole between', safetensorsBytes({ a: entry(0, 4), b: entry(8, 12) }, new Uint8Array(12)), /hole or/],
    ['leaves bytes at the end', safetensorsBytes({ a: entry(0, 4) }, EIGHT), /has 8 bytes, the header describes 4/],
    ['overlaps itself', safetensorsBytes({ a: entry(0, 8, [2]), b: entry(4, 8) }, EIGHT), /hole or overlaps/],
    [
      'has one range twice',
      safetensorsBytes({ a: entry(0, 4), b: entry(0, 4) }, new Uint8Array(4)),
      /hole or overlaps/,
    ],
    [
      'has one name twice, of which JSON keeps the last',
      safetensorsBytes(`{"a":${JSON.stringify(entry(0, 4))},"a":${JSON.stringify(entry(4, 8))}}`, EIGHT),
      /hole or overlaps/,
    ],
    [
      'has a very long name',
      safetensorsBytes({ ['n'.repeat(257)]: entry(0, 4) }, new Uint8Array(4)),
      /longer than 256/,
    ],
    ['has metadata that is a list', safetensorsBytes({ __metadata__: ['a'] }), /__metadata__ is not an object/],
    ['has metadata that is not text', safetensorsBytes({ __metadata__: { a: 1 } }), /other than text/],
  ])('refuses a file that %s.', (_, bytes, message) => {
    const refusal = refusalOf(bytes);
    expect(refusal?.code).toBe('BAD_WEIGHTS');
    expect(refusal?.message).toMatch(message);
  });

  it('refuses more tensors than it reads.', () => {
    const many = Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`t${i}`, entry(0, 0, [0])]));
    expect(refusalOf(safetensorsBytes(many))?.message).toMatch(/more than 4096 tensors/);
  });

  it('takes a tensor or metadata called __proto__ for what it is, and changes no prototype.', () => {
    const text = `{"__proto__":${JSON.stringify(entry(0, 4))},"__metadata__":{"__proto__":"x"}}`;
    const { tensors, metadata } = decodeSafetensors(safetensorsBytes(text, new Uint8Array(4)));
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined();
  });

  it('refuses a small file that was cut off at any byte.', () => {
    const tensors = new Map([['weights', { shape: [3], values: Float32Array.of(1, 2, 3) }]]);
    const bytes = encodeSafetensors({ tensors, metadata: { name: 'small' } }, 'F32');
    expect(refusalOf(bytes)).toBeUndefined();
    for (let length = 0; length < bytes.length; length++)
      expect([length, refusalOf(bytes.subarray(0, length))?.code]).toEqual([length, 'BAD_WEIGHTS']);
  });

  it('is total: any bytes, and any JSON as header, are read or refused with BAD_WEIGHTS.', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .tuple(fc.jsonValue(), fc.uint8Array({ maxLength: 16 }))
        .map(([header, data]) => safetensorsBytes(header, data)),
      fc
        .dictionary(
          fc.string({ maxLength: 4 }),
          fc.record({
            dtype: fc.constantFrom('F32', 'F16'),
            shape: fc.jsonValue(),
            data_offsets: fc.array(fc.integer(), { maxLength: 3 }),
          }),
        )
        .map((header) => safetensorsBytes(header, EIGHT)),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        expect([undefined, 'BAD_WEIGHTS']).toContain(refusalOf(given)?.code);
      }),
      { numRuns: 400 },
    );
  });
});
