import { decode } from 'jpeg-js';
import type { Picture, SightlessReason } from '../../../src/adapter.ts';
import type { Pixels } from '../../../src/vision/pixelStore.ts';
import { toWorkingSize } from '../../../src/vision/workingSize.ts';

/** Bounds of JPEG files: larger ones are `unsupported_format`. */
const MAX_JPEG_BYTES = 16 * 1024 * 1024;
const MAX_JPEG_MEGAPIXELS = 40;
const MAX_JPEG_MEGABYTES = 512;
const CHANNELS = 4;

/** Returns the pixels of a picture, no longer than 1280 on a side, or why there are none. Never throws. */
export function decodePicture(picture: Picture): Pixels | SightlessReason {
  if ('jpeg' in picture) return decodeJpeg(picture.jpeg);
  const { width, height, rgba } = picture;
  const data = new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.byteLength);
  return shrink({ width, height, data });
}

function decodeJpeg(jpeg: Uint8Array): Pixels | SightlessReason {
  if (jpeg.length > MAX_JPEG_BYTES) return 'unsupported_format';
  try {
    const { width, height, data } = decode(jpeg, {
      useTArray: true,
      formatAsRGBA: true,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_JPEG_MEGAPIXELS,
      maxMemoryUsageInMB: MAX_JPEG_MEGABYTES,
    });
    return shrink({ width, height, data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.byteLength) });
  } catch {
    return 'decode_error';
  }
}

/** Averages squares of whole pixels; what is left over at the right and below is cut off. */
function shrink(pixels: Pixels): Pixels | SightlessReason {
  const size = toWorkingSize(pixels);
  if (typeof size === 'string') return size;
  if (pixels.data.length !== pixels.width * pixels.height * CHANNELS) return 'decode_error';
  const { width, height, times } = size;
  if (times === 1) return pixels;
  const data = new Uint8ClampedArray(width * height * CHANNELS);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      average(pixels, { x: x * times, y: y * times, times }, data.subarray((y * width + x) * CHANNELS));
  return { width, height, data };
}

function average(
  { width, data }: Pixels,
  { x, y, times }: { readonly x: number; readonly y: number; readonly times: number },
  into: Uint8ClampedArray,
): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    let sum = 0;
    for (let dy = 0; dy < times; dy++)
      for (let dx = 0; dx < times; dx++) sum += data[((y + dy) * width + x + dx) * CHANNELS + channel] ?? 0;
    into[channel] = sum / (times * times);
  }
}
