/** Samples of sound: 16-bit, or numbers from -1 to 1. Channels take turns. */
export type Samples = Int16Array | Float32Array;

/**
 * Returns samples as signed 16-bit little-endian bytes. Numbers beyond -1 … 1 are cut off there, and NaN becomes 0.
 */
export function toPcm16(samples: Samples): Uint8Array {
  const view = new DataView(new ArrayBuffer(samples.length * 2));
  const isFloat = samples instanceof Float32Array;
  samples.forEach((sample, index) => view.setInt16(index * 2, isFloat ? toInt16(sample) : sample, true));
  return new Uint8Array(view.buffer);
}

/**
 * Returns a row of landmarks as little-endian float32 bytes.
 * @throws RangeError when a number is not finite.
 */
export function toRowBytes(row: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(row.length * 4));
  for (let index = 0; index < row.length; index++) {
    const value = row[index] ?? NaN;
    if (!Number.isFinite(value)) throw new RangeError(`row[${index}] must be a finite number, got ${value}`);
    view.setFloat32(index * 4, value, true);
  }
  return new Uint8Array(view.buffer);
}

function toInt16(sample: number): number {
  return Math.round(Math.min(1, Math.max(-1, sample)) * 0x7fff);
}
