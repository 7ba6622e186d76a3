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
 * Returns the time up to which every stream of sound that delivers, or may be about to, has been heard; Infinity when there is
 * none to wait for.
 */
export function watermark(streams: readonly IngestStream[], settings: WaitSettings, nowMs: number): number {
  const heard = streams
    .filter(({ entry }) => entry.declaration.kind === 'audio')
    .filter(({ interruption, heardAtMs }) => nowMs - heardAtMs < patienceMs(interruption, settings))
    .map(({ usedMs }) => usedMs);
  return heard.length === 0 ? Infinity : Math.max(Math.min(...heard), Math.max(...heard) - settings.maxLagMs);
}

function patienceMs(interruption: MissingReason | undefined, { holdMs, awayMs }: WaitSettings): number {
  if (interruption === undefined) return holdMs;
  return interruption === 'disconnected' ? awayMs : 0;
}
