import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMediaFrame,
  encodeMediaFrame,
  MAX_MEDIA_MS,
  MEDIA_HEADER_BYTES,
  type MediaFrame,
} from '../../src/protocol/mediaFrame.ts';

const frame: fc.Arbitrary<MediaFrame> = fc.record({
  number: fc.nat(0xffff),
  sequence: fc.nat(0xffffffff),
  mediaMs: fc.double({ min: 0, max: MAX_MEDIA_MS - 1, noNaN: true }).map((ms) => ms + 0),
  payload: fc.uint8Array({ minLength: 1, maxLength: 200 }),
});
const ruleOf = (bytes: Uint8Array): string => {
  const decoded = decodeMediaFrame(bytes);
  return decoded.ok ? 'ok' : decoded.rule;
};
const SAMPLE: MediaFrame = { number: 513, sequence: 7, mediaMs: 1_000.5, payload: Uint8Array.of(1, 2, 3) };

describe('media frames', () => {
  it('are a header of 16 bytes, little-endian, and the payload', () => {
    expect([...encodeMediaFrame(SAMPLE)]).toEqual([1, 0, 1, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 68, 143, 64, 1, 2, 3]);
  });

  it('come back as they went, wherever they lie in memory', () => {
    fc.assert(
      fc.property(frame, fc.nat(7), (sent, offset) => {
        const bytes = encodeMediaFrame(sent);
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        expect(decodeMediaFrame(moved.subarray(offset))).toEqual({ ok: true, frame: sent });
      }),
    );
  });

  it('are refused by rule, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodeMediaFrame(bytes);
        if (decoded.ok) expect(decoded.frame.payload.length).toBe(bytes.length - MEDIA_HEADER_BYTES);
        else expect(decoded.rule).toMatch(/^[a-z0-9 ]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['shorter than its header', (bytes) => bytes.subarray(0, 15)],
    ['without payload', (bytes) => bytes.subarray(0, MEDIA_HEADER_BYTES)],
    ['version is not 1', (bytes) => bytes.with(0, 2)],
    ['flags are not 0', (bytes) => bytes.with(1, 4)],
    ['media time is out of range', (bytes) => bytes.with(15, 0x7f)],
    ['media time is out of range', (bytes) => bytes.with(15, 0xc0)],
  ])('say that one is %s', (rule, change) => {
    expect(ruleOf(change(encodeMediaFrame(SAMPLE)))).toBe(rule);
  });

  it.each<[string, Partial<MediaFrame>]>([
    ['number', { number: 65_536 }],
    ['number', { number: 1.5 }],
    ['sequence', { sequence: -1 }],
    ['sequence', { sequence: 2 ** 32 }],
    ['mediaMs', { mediaMs: NaN }],
    ['mediaMs', { mediaMs: MAX_MEDIA_MS }],
  ])('are not made when %s is out of range', (name, change) => {
    expect(() => encodeMediaFrame({ ...SAMPLE, ...change })).toThrow(new RegExp(`^${name} must be`));
  });
});
