import { encode } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../../adapters/vision/mediapipe/decodePicture.ts';

const grey = (width: number, height: number, value = 128): Uint8Array => new Uint8Array(width * height * 4).fill(value);

describe('decodePicture', () => {
  it('hands on pixels as they are', () => {
    const rgba = Uint8Array.from({ length: 32 * 16 * 4 }, (_, i) => i % 251);
    expect(decodePicture({ atMs: 0, width: 32, height: 16, rgba })).toEqual({
      width: 32,
      height: 16,
      data: new Uint8ClampedArray(rgba),
    });
  });

  it('makes 8K smaller by averaging', () => {
    const pixels = decodePicture({ atMs: 0, width: 7_680, height: 4_320, rgba: grey(7_680, 4_320) });
    expect(pixels).toMatchObject({ width: 1_280, height: 720 });
    expect(typeof pixels === 'string' ? 0 : pixels.data.every((value) => value === 128)).toBe(true);
  });

  it('averages, and does not pick', () => {
    const rgba = grey(2_560, 2, 0);
    for (let at = 0; at < rgba.length; at += 8) rgba.fill(200, at, at + 4);
    const pixels = decodePicture({ atMs: 0, width: 2_560, height: 2, rgba });
    expect(pixels).toMatchObject({ width: 1_280, height: 1 });
    expect(typeof pixels === 'string' ? [] : [...new Set(pixels.data)]).toEqual([100]);
  });

  it('reads a JPEG', () => {
    const { data } = encode({ width: 24, height: 16, data: grey(24, 16) }, 90);
    expect(decodePicture({ atMs: 0, jpeg: data })).toMatchObject({ width: 24, height: 16 });
  });

  it('says decode_error of a JPEG that is cut, overwritten or none at all, and of pixels that do not fit', () => {
    const { data } = encode({ width: 240, height: 160, data: grey(240, 160) }, 90);
    const overwritten = Uint8Array.from(data, (byte, i) => (i > 2 && i < 300 ? 0xff - byte : byte));
    for (const jpeg of [data.subarray(0, 40), overwritten, new Uint8Array(0), Uint8Array.of(0xff, 0xd8), grey(9, 9)])
      expect(decodePicture({ atMs: 0, jpeg })).toBe('decode_error');
    expect(decodePicture({ atMs: 0, width: 4, height: 4, rgba: grey(4, 3) })).toBe('decode_error');
  });

  it('refuses sides that are no sides, and files past the limit', () => {
    for (const [width, height] of [
      [0, 4],
      [4, -1],
      [1.5, 4],
      [NaN, 4],
      [8_193, 1],
    ] as const)
      expect(decodePicture({ atMs: 0, width, height, rgba: new Uint8Array(0) })).toBe('unsupported_format');
    expect(decodePicture({ atMs: 0, jpeg: new Uint8Array(16 * 1024 * 1024 + 1) })).toBe('unsupported_format');
  });
});
