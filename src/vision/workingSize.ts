/** Longer sides are `unsupported_format`. */
const MAX_SIDE = 8_192;
/** The networks see at most 256 × 256 of a picture: what is longer than this is made smaller first. */
const WORKING_SIDE = 1_280;

/** A size in pixels, and how many pixels of the picture, across and down, become one. */
export type WorkingSize = { readonly width: number; readonly height: number; readonly times: number };

/**
 * Returns the size in which a picture is looked at: squares of whole pixels become one, so that no side is longer than
 * 1280; what is left over at the right and below is cut off. A size that is none, or has a side over 8192, is refused.
 */
export function toWorkingSize({
  width,
  height,
}: {
  readonly width: number;
  readonly height: number;
}): WorkingSize | 'unsupported_format' {
  if (!isSide(width) || !isSide(height)) return 'unsupported_format';
  const times = Math.ceil(Math.max(width, height) / WORKING_SIDE);
  const smaller = { width: Math.floor(width / times), height: Math.floor(height / times), times };
  return Math.min(smaller.width, smaller.height) === 0 ? { width, height, times: 1 } : smaller;
}

function isSide(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels >= 1 && pixels <= MAX_SIDE;
}
