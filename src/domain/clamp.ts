/** Returns `value`, or the bound that is nearest to it; `low` for what is no number. @param high At least `low`. */
export function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.max(low, Math.min(high, value));
}

/** Returns a copy of samples of sound within full scale, [-1, 1]; what is no number is 0. */
export function clampSamples(samples: Float32Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(samples, (sample) => (Number.isNaN(sample) ? 0 : clamp(sample, -1, 1)));
}
