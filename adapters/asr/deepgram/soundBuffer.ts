/** Samples of a millisecond at 16 kHz. */
const SAMPLES_PER_MS = 16;
/** Samples of one message: 100 ms. */
const PIECE_SAMPLES = 1_600;
/** How much sound that was sent is kept for sending it again. */
export const MAX_KEPT_MS = 30_000;
/** How much may wait to be sent, what is sent again included: 1.3 MB. */
export const MAX_WAITING_MS: number = MAX_KEPT_MS + 10_000;

/** The sound of one stream as 16-bit PCM: what waits to be sent, and what was sent and is not final yet. Times in ms. */
export type SoundBuffer = {
  /** Copies samples to the end. NaN counts as 0, what is beyond full scale as full. @throws RangeError when too much waits */
  readonly push: (samples: Float32Array) => void;
  /** The next piece of at most 100 ms in little-endian bytes, `null` when all was taken. */
  readonly take: () => Uint8Array | null;
  /** What lies before is not needed any more. */
  readonly forget: (beforeMs: number) => void;
  /** Takes again from `fromMs`, or from the oldest sample that is left; returns which time that is. */
  readonly rewind: (fromMs: number) => number;
  readonly waitingMs: () => number;
  /** Where the oldest sample lies that can be sent again. */
  readonly keptFromMs: () => number;
};

/** Creates an empty buffer. What was sent and is older than {@link MAX_KEPT_MS} is given up: it cannot be sent again. */
export function createSoundBuffer(): SoundBuffer {
  const ring = new Int16Array(MAX_WAITING_MS * SAMPLES_PER_MS);
  let from = 0; // absolute sample numbers
  let taken = 0;
  let end = 0;
  return {
    push: (samples) => {
      if (end - taken + samples.length > ring.length) {
        throw new RangeError(`write: at most ${MAX_WAITING_MS} ms may wait; await the last write before the next`);
      }
      for (const sample of samples) {
        ring[end % ring.length] = toPcm(sample);
        end += 1;
      }
      from = Math.max(from, Math.min(taken, end - MAX_KEPT_MS * SAMPLES_PER_MS), end - ring.length);
    },
    take: () => {
      const count = Math.min(PIECE_SAMPLES, end - taken);
      if (count === 0) return null;
      const piece = new DataView(new ArrayBuffer(count * 2));
      for (let index = 0; index < count; index += 1) {
        piece.setInt16(index * 2, ring[(taken + index) % ring.length] ?? 0, true);
      }
      taken += count;
      return new Uint8Array(piece.buffer);
    },
    forget: (beforeMs) => {
      from = Math.min(taken, Math.max(from, Math.floor(beforeMs * SAMPLES_PER_MS)));
    },
    rewind: (fromMs) => {
      taken = Math.min(taken, Math.max(from, Math.floor(fromMs * SAMPLES_PER_MS)));
      return taken / SAMPLES_PER_MS;
    },
    waitingMs: () => (end - taken) / SAMPLES_PER_MS,
    keptFromMs: () => from / SAMPLES_PER_MS,
  };
}

function toPcm(sample: number): number {
  return Number.isNaN(sample) ? 0 : Math.round(Math.max(-1, Math.min(1, sample)) * 32_767);
}
