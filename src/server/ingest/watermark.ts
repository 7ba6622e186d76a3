import type { MissingReason } from '../../domain/modality.ts';
import type { IngestStream } from './ingestStream.ts';

/** How long streams wait for one another, in ms of wall time. */
export type WaitSettings = {
  /** A stream from which nothing came for so long does not keep the others waiting; nor do they keep anything but sound. */
  readonly holdMs: number;
  /** One whose producer is away keeps them waiting for so long, in case it comes back at once. */
  readonly awayMs: number;
  /** Nor does a stream whose media time is so far behind theirs. */
  readonly maxLagMs: number;
};

/**
 * Returns the time up to which every one of these streams of sound that delivers, or may be about to, has been heard;
 * Infinity when there is none to wait for.
 */
export function watermark(sounds: readonly IngestStream[], settings: WaitSettings, nowMs: number): number {
  let earliestMs = Infinity;
  let latestMs = -Infinity;
  for (const { interruption, heardAtMs, usedMs } of sounds) {
    if (nowMs - heardAtMs >= patienceMs(interruption, settings)) continue;
    earliestMs = Math.min(earliestMs, usedMs);
    latestMs = Math.max(latestMs, usedMs);
  }
  return Math.max(earliestMs, latestMs - settings.maxLagMs);
}

function patienceMs(interruption: MissingReason | undefined, { holdMs, awayMs }: WaitSettings): number {
  if (interruption === undefined) return holdMs;
  return interruption === 'disconnected' ? awayMs : 0;
}
