import type { PixelPicture } from './callVideo.ts';

/** A picture of one grey, from 0 (black) to 255. */
export function flat(width: number, height: number, value: number): PixelPicture {
  return opaque(width, height, new Uint8Array(width * height * 4).fill(value));
}

/** Grey noise; the same each time. */
export function noise(width: number, height: number): PixelPicture {
  let state = 1;
  const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    if (i % 4 === 0) state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return opaque(width, height, rgba);
}

/** Turned by a quarter. */
export function turned({ width, height, rgba }: PixelPicture): PixelPicture {
  const into = new Uint8Array(rgba.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 4;
      into.set(rgba.subarray(from, from + 4), (x * height + (height - 1 - y)) * 4);
    }
  return { atMs: 0, width: height, height: width, rgba: into };
}

function opaque(width: number, height: number, rgba: Uint8Array): PixelPicture {
  for (let at = 3; at < rgba.length; at += 4) rgba[at] = 255;
  return { atMs: 0, width, height, rgba };
}
