import type { Pixels } from './pixelStore.ts';

/** A mean luminance below this (of 255) is too dark to read. */
const MIN_LUMINANCE = 24;
/** Luminance is the mean of every 16th pixel's. */
const LUMINANCE_STRIDE = 16 * 4;

/** Returns whether a picture is too dark to read: mean Rec. 709 luminance below 24 of 255. */
export function isDark({ data }: Pixels): boolean {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < data.length; at += LUMINANCE_STRIDE, count++)
    sum += 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0);
  return count > 0 && sum / count < MIN_LUMINANCE;
}
