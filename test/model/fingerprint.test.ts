import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fingerprintOf, fnv1a } from '../../src/model/fingerprint.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('fnv1a', () => {
  it('gives the published values of the 32-bit hash.', () => {
    expect(fnv1a(bytesOf(''))).toBe(0x811c9dc5);
    expect(fnv1a(bytesOf('a'))).toBe(0xe40c292c);
    expect(fnv1a(bytesOf('foobar'))).toBe(0xbf9cf968);
  });

  it('goes on where an earlier part ended.', () => {
    expect(fnv1a(bytesOf('bar'), fnv1a(bytesOf('foo')))).toBe(0xbf9cf968);
  });

  it('notices every change of a single word.', () => {
    const words = fc.uint32Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(words, fc.nat(), fc.integer({ min: 1, max: 0xffff_ffff }), (given, at, flip) => {
        const changed = given.slice();
        changed[at % given.length] = (changed[at % given.length] ?? 0) ^ flip;
        expect(fnv1a(changed)).not.toBe(fnv1a(given));
      }),
    );
  });
});

describe('fingerprintOf', () => {
  it('depends on every value and its place, down to the sign of zero.', () => {
    const of = (...values: number[]): number => fingerprintOf([Float32Array.from(values)]);
    expect(of(1, 2)).toBe(of(1, 2));
    expect(new Set([of(1, 2), of(2, 1), of(1, 2.0000002), of(0), of(-0)]).size).toBe(5);
  });

  it('reads a view into a larger buffer as its own values.', () => {
    const larger = Float32Array.of(9, 1, 2, 9);
    expect(fingerprintOf([larger.subarray(1, 3)])).toBe(fingerprintOf([Float32Array.of(1, 2)]));
  });

  it('has a value even when there is nothing.', () => {
    expect(fingerprintOf([])).toBe(0x811c9dc5);
  });
});
