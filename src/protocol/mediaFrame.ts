/** Length of the header of a media frame. */
export const MEDIA_HEADER_BYTES = 16;
const FRAME_VERSION = 1;
const MAX_NUMBER = 0xffff;
const MAX_SEQUENCE = 0xffffffff;
/** Media times lie below this, 24 days: whatever says more is no clock of a call. */
export const MAX_MEDIA_MS: number = 2 ** 31;

/** One binary message of a producer: a piece of one stream. */
export type MediaFrame = {
  /** The `number` of the stream's declaration, 0 to 65,535. */
  readonly number: number;
  /** Counts 0, 1, 2 … per stream; a frame that is sent again has the number it had. */
  readonly sequence: number;
  /** When it begins, on the producer's media clock: ms since its `hello`. */
  readonly mediaMs: number;
  /** Samples, an Opus packet, a JPEG picture, or a row of float32. */
  readonly payload: Uint8Array;
};

/** What a binary message decodes to: a frame, or the rule it breaks. */
export type DecodedMediaFrame =
  { readonly ok: true; readonly frame: MediaFrame } | { readonly ok: false; readonly rule: string };

/**
 * Returns a frame as bytes: version 1 (u8), flags 0 (u8), stream number (u16), sequence (u32), media time (f64, ms), all
 * little-endian, then the payload, which so begins at a multiple of 4.
 * @throws RangeError when a number is out of its range.
 */
export function encodeMediaFrame({ number, sequence, mediaMs, payload }: MediaFrame): Uint8Array {
  checkInteger('number', number, MAX_NUMBER);
  checkInteger('sequence', sequence, MAX_SEQUENCE);
  if (!isMediaMs(mediaMs)) throw new RangeError(`mediaMs must be from 0 to below ${MAX_MEDIA_MS}, got ${mediaMs}`);
  const bytes = new Uint8Array(MEDIA_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FRAME_VERSION);
  view.setUint16(2, number, true);
  view.setUint32(4, sequence, true);
  view.setFloat64(8, mediaMs, true);
  bytes.set(payload, MEDIA_HEADER_BYTES);
  return bytes;
}

/** Returns the frame of a binary message; its payload shares the memory of `bytes`. Never throws. */
export function decodeMediaFrame(bytes: Uint8Array): DecodedMediaFrame {
  if (bytes.length < MEDIA_HEADER_BYTES) return broken('shorter than its header');
  if (bytes.length === MEDIA_HEADER_BYTES) return broken('without payload');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint8(0) !== FRAME_VERSION) return broken('version is not 1');
  if (view.getUint8(1) !== 0) return broken('flags are not 0');
  const mediaMs = view.getFloat64(8, true);
  if (!isMediaMs(mediaMs)) return broken('media time is out of range');
  const payload = bytes.subarray(MEDIA_HEADER_BYTES);
  return {
    ok: true,
    frame: { number: view.getUint16(2, true), sequence: view.getUint32(4, true), mediaMs: mediaMs + 0, payload },
  };
}

function isMediaMs(mediaMs: number): boolean {
  return mediaMs >= 0 && mediaMs < MAX_MEDIA_MS;
}

function checkInteger(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(`${name} must be a whole number from 0 to ${max}, got ${value}`);
}

function broken(rule: string): DecodedMediaFrame {
  return { ok: false, rule };
}
