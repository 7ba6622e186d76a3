import { pushBounded } from './bounded.ts';
import { createSampleStore, type SampleStore } from './sampleStore.ts';
import type { Span } from './spans.ts';

/** Rate of all audio behind the media adapters, in Hz. */
export const SAMPLE_RATE_HZ = 16_000;
const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;

/** The latest audio of one stream, by session time. */
export type AudioRing = {
  /** Adds samples beginning at `startMs`. What is older than the newest sample is ignored; a hole becomes silence. */
  write(startMs: number, samples: Float32Array): void;
  /** A copy of the samples of `span` that are still held; shorter, or empty, when part of it is gone or not yet there. */
  read(span: Span): Float32Array;
  /** The latest stretches that nothing was written of, in order. */
  readonly holes: readonly Span[];
};

const MAX_HOLES = 256;

/**
 * Returns an empty ring of `capacityMs` of 16 kHz mono audio. It takes 32 bytes per ms from the first sample on, and 64 once
 * a sample is not one of 16 bits; never more.
 */
export function createAudioRing(capacityMs: number): AudioRing {
  const capacity = Math.ceil(capacityMs * SAMPLES_PER_MS);
  let ring: SampleStore | undefined;
  const holes: Span[] = [];
  let from = 0;
  let to = 0;

  const put = (held: SampleStore, samples: Float32Array): void => {
    const kept = samples.length > capacity ? samples.subarray(samples.length - capacity) : samples;
    to += samples.length - kept.length;
    const at = to % capacity;
    const head = kept.subarray(0, capacity - at);
    held.put(head, at);
    held.put(kept.subarray(head.length), 0);
    to += kept.length;
    from = Math.max(from, to - capacity);
  };

  return {
    write: (startMs, samples) => {
      const start = Math.round(startMs * SAMPLES_PER_MS);
      if (ring === undefined) {
        ring = createSampleStore(capacity);
        from = to = start;
      }
      if (start > to) {
        pushBounded(holes, { startMs: to / SAMPLES_PER_MS, endMs: start / SAMPLES_PER_MS }, MAX_HOLES);
      }
      if (start - to >= capacity) {
        ring.clear();
        to = start;
        from = start - capacity;
      } else if (start > to) put(ring, new Float32Array(start - to));
      put(ring, samples.subarray(Math.max(0, Math.min(samples.length, to - start))));
    },
    read: (span) => {
      const start = Math.max(from, Math.round(span.startMs * SAMPLES_PER_MS));
      const end = Math.min(to, Math.round(span.endMs * SAMPLES_PER_MS));
      if (ring === undefined || end <= start) return new Float32Array(0);
      const samples = new Float32Array(end - start);
      const at = start % capacity;
      const headLength = Math.min(samples.length, capacity - at);
      ring.take(at, samples.subarray(0, headLength));
      ring.take(0, samples.subarray(headLength));
      return samples;
    },
    holes,
  };
}
