import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromFloat16, toFloat16 } from '../../src/model/float16.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/model/safetensors.ts';
import { safetensorsBytes } from '../support/safetensorsBytes.ts';

const NAME = fc
  .oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom('1', '10', '__proto__', 'toString', 'ü'))
  .filter((name) => name !== '__metadata__');

const TENSOR: fc.Arbitrary<StoredTensor> = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return fc.record({ shape: fc.constant(shape), values: fc.float32Array({ minLength: length, maxLength: length }) });
});

const FILE = fc.record({
  tensors: fc.array(fc.tuple(NAME, TENSOR), { maxLength: 6 }).map((entries) => new Map(entries)),
  metadata: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 20 })),
});

/** Names, shapes and bits; NaN and −0 included. */
function contentOf(tensors: ReadonlyMap<string, StoredTensor>): unknown[] {
  return [...tensors]
    .map(([name, { shape, values }]) => [name, [...shape], [...values].map((v) => (Object.is(v, -0) ? '-0' : v))])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
}

describe('encodeSafetensors and decodeSafetensors', () => {
  it('give back what was written in 32 bits, whatever the names, shapes and values.', () => {
    fc.assert(
      fc.property(FILE, (file) => {
        const read = decodeSafetensors(encodeSafetensors(file, 'F32'));
        expect(contentOf(read.tensors)).toEqual(contentOf(file.tensors));
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(file.metadata).sort());
      }),
      { numRuns: 200 },
    );
  });

  it('give back the nearest 16-bit number of each value.', () => {
    fc.assert(
      fc.property(TENSOR, ({ shape, values }) => {
        const file = { tensors: new Map([['t', { shape, values }]]), metadata: {} };
        const read = decodeSafetensors(encodeSafetensors(file, 'F16')).tensors.get('t');
        expect([...(read?.values ?? [])]).toEqual([...values].map((value) => fromFloat16(toFloat16(value))));
      }),
    );
  });

  it('read from a view into a larger buffer, at any alignment.', () => {
    const file = { tensors: new Map([['t', { shape: [2], values: Float32Array.of(1, 2) }]]), metadata: { a: 'b' } };
    const bytes = encodeSafetensors(file, 'F32');
    for (const shift of [1, 3, 4]) {
      const larger = new Uint8Array(bytes.length + 9);
      larger.set(bytes, shift);
      const read = decodeSafetensors(larger.subarray(shift, shift + bytes.length));
      expect([...(read.tensors.get('t')?.values ?? [])]).toEqual([1, 2]);
    }
  });
});

describe('encodeSafetensors', () => {
  it('gives equal bytes for equal content, in whatever order it was put together.', () => {
    fc.assert(
      fc.property(FILE, ({ tensors, metadata }) => {
        const reversed = { tensors: new Map([...tensors].reverse()), metadata };
        expect(encodeSafetensors(reversed, 'F32')).toEqual(encodeSafetensors({ tensors, metadata }, 'F32'));
      }),
      { numRuns: 50 },
    );
  });

  it('writes the format other tools read: length, JSON with offsets, data aligned to 8 bytes.', () => {
    const tensors = new Map([
      ['b', { shape: [1, 2], values: Float32Array.of(1.5, -2) }],
      ['a', { shape: [], values: Float32Array.of(3) }],
    ]);
    const bytes = encodeSafetensors({ tensors, metadata: { format: 'pt' } }, 'F32');
    const view = new DataView(bytes.buffer);
    const length = Number(view.getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      b: { dtype: 'F32', shape: [1, 2], data_offsets: [4, 12] },
    });
    expect([0, 4, 8].map((at) => view.getFloat32(8 + length + at, true))).toEqual([3, 1.5, -2]);
  });
});

describe('decodeSafetensors', () => {
  it('reads a file written by hand, tensors in any order of names and offsets, empty ones between.', () => {
    const data = new Uint8Array(new Float32Array([1, 2, 3]).buffer);
    const { tensors, metadata } = decodeSafetensors(
      safetensorsBytes(
        {
          z: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
          empty: { dtype: 'F32', shape: [0, 7], data_offsets: [0, 0] },
          a: { dtype: 'F16', shape: [2], data_offsets: [8, 12] },
        },
        data,
      ),
    );
    expect([...(tensors.get('z')?.values ?? [])]).toEqual([1, 2]);
    expect(tensors.get('empty')).toEqual({ shape: [0, 7], values: new Float32Array(0) });
    expect(tensors.get('a')?.values.length).toBe(2);
    expect(metadata).toEqual({});
  });

  it('reads a file without tensors.', () => {
    expect(decodeSafetensors(safetensorsBytes({})).tensors.size).toBe(0);
  });
});
