/**
 * Hashes words or bytes, one after the other, to 32 bits: FNV-1a. Each step is reversible, so a change of a single element
 * always changes the result. Tells damaged and foreign data apart from ours; it does not protect against intent.
 * Source: Fowler, Noll & Vo, offset basis 0x811c9dc5 and prime 0x01000193.
 */
export function fnv1a(values: Uint8Array | Uint32Array, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < values.length; i++) hash = Math.imul(hash ^ (values[i] as number), 0x01000193);
  return hash >>> 0;
}

/** Fingerprint of weights: of every parameter's bits, in the order of `arrays`. */
export function fingerprintOf(arrays: Iterable<Float32Array>): number {
  let hash: number | undefined;
  for (const array of arrays) hash = fnv1a(new Uint32Array(Float32Array.from(array).buffer), hash);
  return hash ?? fnv1a(new Uint8Array(0));
}
