import type { IngestStream } from './ingestStream.ts';

/** How long streams wait for one another, in ms of wall time. */
export type WaitSettings = {
  /** A stream from which nothing came for so long does not keep the others waiting; nor do they keep anything but sound. */
  readonly holdMs: number;
  /** Nor does a stream whose media time is so far behind theirs. */
  readonly maxLagMs: number;
};

/** Returns the time up to which every stream of sound that delivers has been heard; Infinity when there is none to wait for. */
export function watermark(streams: readonly IngestStream[], { holdMs, maxLagMs }: WaitSettings, nowMs: number): number {
  let earliestMs = Infinity;
  let latestMs = -Infinity;
  for (const { entry, interruption, heardAtMs, usedMs } of streams) {
    const isWaitedFor = entry.declaration.kind === 'audio' && interruption === undefined;
    if (!isWaitedFor || nowMs - heardAtMs >= holdMs) continue;
    earliestMs = Math.min(earliestMs, usedMs);
    latestMs = Math.max(latestMs, usedMs);
  }
  return Math.max(earliestMs, latestMs - maxLagMs);
}
