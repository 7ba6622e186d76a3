import type { AudioDecoder } from './decodeAudio.ts';

/** Sound that lies further than this from where the samples before it end begins anew; less is jitter of the stamps. */
export const ANCHOR_MS = 40;

/** The most sound that is left out to follow a clock. */
export const MAX_TRIM_MS = 400;

/** Decoded sound and its place on the producer's media clock; or the rule the payload breaks. */
export type PlacedAudio =
  | { readonly ok: true; readonly startMs: number; readonly samples: Float32Array; readonly endMs: number }
  | { readonly ok: false; readonly rule: string };

/** Places the sound of one stream in time. */
export type AudioPlacer = {
  place(mediaMs: number, payload: Uint8Array): PlacedAudio;
  /** By how much the producer's media clock runs faster than its samples, in parts per million; 0 in the first minute. */
  driftPpm(): number;
};

/**
 * Returns a placer. Samples are counted, so that a jitter of the stamps moves nothing; where count and stamp have come
 * `ANCHOR_MS` apart (media was left out, or the sound card's clock drifts), the stamp is believed and the count begins
 * anew. So the place is never wrong by more than that, at any drift. Time never runs back: what would lie before the end of
 * what was placed is left out, or, when that is more than `MAX_TRIM_MS` (the stamps make no sense), follows it.
 */
export function createAudioPlacer(decoder: AudioDecoder): AudioPlacer {
  let anchorMs = 0;
  let inputMs = 0;
  let outputs = 0;
  let trimMs = 0;
  let first: { readonly mediaMs: number } | undefined;
  let heardMs = 0;
  let lastMs = 0;
  let skippedMs = 0;

  /** Begins anew at `mediaMs`; returns how much of what follows lies before the end of what was placed. */
  const anchor = (mediaMs: number): number => {
    const endMs = anchorMs + inputMs;
    const aheadMs = first ? mediaMs - endMs : 0;
    if (aheadMs > MAX_TRIM_MS) skippedMs += aheadMs;
    if (aheadMs > MAX_TRIM_MS || !first) decoder.reset();
    const isTrimmed = aheadMs < 0 && aheadMs >= -MAX_TRIM_MS;
    anchorMs = isTrimmed || !first ? mediaMs : Math.max(mediaMs, endMs);
    inputMs = 0;
    outputs = 0;
    return isTrimmed ? -aheadMs : 0;
  };
  return {
    place: (mediaMs, payload) => {
      const isAway = first === undefined || Math.abs(mediaMs - (anchorMs + inputMs)) > ANCHOR_MS;
      if (isAway) trimMs = anchor(mediaMs);
      first ??= { mediaMs };
      const decoded = decoder.decode(payload);
      if (!decoded.ok) return decoded;
      const trimmed = Math.min(decoded.samples.length, Math.round(trimMs * 16));
      trimMs -= trimmed / 16;
      const samples = trimmed === 0 ? decoded.samples : decoded.samples.subarray(trimmed);
      const startMs = anchorMs + (outputs + trimmed) / 16;
      outputs += decoded.samples.length;
      inputMs += decoded.durationMs;
      heardMs += decoded.durationMs;
      lastMs = mediaMs + decoded.durationMs;
      return { ok: true, startMs, samples, endMs: anchorMs + inputMs };
    },
    driftPpm: () => {
      if (first === undefined || heardMs < 60_000) return 0;
      return Math.round(((lastMs - first.mediaMs - skippedMs) / heardMs - 1) * 1e6);
    },
  };
}
