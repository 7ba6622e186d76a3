/** Samples in places 0 … length - 1; those that nothing was put in are 0. */
export type SampleStore = {
  /** Puts samples in from place `at`; all of them must fit. */
  put(samples: Float32Array, at: number): void;
  /** Fills `to` with the samples from place `at`; all of them must be there. */
  take(at: number, to: Float32Array): void;
  clear(): void;
};

const FULL_SCALE = 32_768;

/**
 * Returns an empty store. It takes 2 bytes a sample while all samples are such as 16 bits hold, exactly (k / 32,768, as
 * decoders of PCM and telephone sound give), and 4 from the first on that is not.
 */
export function createSampleStore(length: number): SampleStore {
  let words: Int16Array | undefined = new Int16Array(length);
  let floats: Float32Array | undefined;
  const widen = (narrow: Int16Array): Float32Array => {
    const wide = Float32Array.from(narrow, (word) => word / FULL_SCALE);
    words = undefined;
    floats = wide;
    return wide;
  };
  return {
    put: (samples, at) => {
      if (floats) floats.set(samples, at);
      else if (words && !putWords(words, samples, at)) widen(words).set(samples, at);
    },
    take: (at, to) => {
      if (floats) to.set(floats.subarray(at, at + to.length));
      else for (let i = 0; i < to.length; i++) to[i] = (words?.[at + i] ?? 0) / FULL_SCALE;
    },
    clear: () => void (words ?? floats)?.fill(0),
  };
}

/** Puts samples in as 16 bits up to the first that does not fit; answers whether all did. */
function putWords(words: Int16Array, samples: Float32Array, at: number): boolean {
  for (let i = 0; i < samples.length; i++) {
    const word = (samples[i] ?? 0) * FULL_SCALE;
    words[at + i] = word;
    if (words[at + i] !== word) return false;
  }
  return true;
}
