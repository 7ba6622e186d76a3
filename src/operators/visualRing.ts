import type { MissingReason } from '../domain/modality.ts';
import type { VisualFrame } from '../domain/observation.ts';
import { reasonOf, type Visual } from './sight.ts';

/** Columns of a row, as docs/features.md has them. */
export const ROW_WIDTH: Readonly<Record<Visual, number>> = { face: 52, body: 28 };

/** What one picture said: a row of somebody, or why there is none. */
export type Sighting = { readonly atMs: number; readonly row?: Float32Array; readonly reason?: MissingReason };

/** The latest of what one stream showed of one modality, in order of time. */
export type VisualRing = {
  /** Adds a picture. Of pictures closer than 40 ms the first is kept; what is older than the ring holds is ignored. */
  write(frame: VisualFrame): void;
  /** The picture nearest to `atMs`, when it is at most `reachMs` away. */
  nearest(atMs: number, reachMs: number): Sighting | undefined;
  /** When the latest picture was taken, and when it arrived; -Infinity without any. */
  readonly latest: { readonly atMs: number; readonly arrivalMs: number };
};

/** More pictures than 25 a second tell nothing more at 10 Hz. */
const MIN_STEP_MS = 40;

/**
 * Returns an empty ring of `capacityMs`: at most 25 pictures per second of it. A row of another width or with a number that
 * is not finite is not used (`unsupported_format`).
 */
export function createVisualRing(modality: Visual, capacityMs: number): VisualRing {
  const sightings: Sighting[] = [];
  const maxCount = Math.ceil(capacityMs / MIN_STEP_MS);
  let latest = { atMs: -Infinity, arrivalMs: -Infinity };

  /** Where a picture of `atMs` belongs: after all that are not later. */
  const placeOf = (atMs: number): number => {
    let low = 0;
    let high = sightings.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sightings[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const distanceOf = (index: number, atMs: number): number => Math.abs((sightings[index]?.atMs ?? Infinity) - atMs);

  return {
    write: (frame) => {
      const { atMs, arrivalMs } = frame;
      if (!Number.isFinite(atMs) || atMs <= latest.atMs - capacityMs) return;
      latest = { atMs: Math.max(latest.atMs, atMs), arrivalMs };
      const at = placeOf(atMs);
      if (Math.min(distanceOf(at - 1, atMs), distanceOf(at, atMs)) >= MIN_STEP_MS)
        sightings.splice(at, 0, toSighting(frame, ROW_WIDTH[modality]));
      const isOld = ({ atMs: old }: Sighting): boolean => old <= latest.atMs - capacityMs;
      while (sightings.length > maxCount || (sightings[0] && isOld(sightings[0]))) sightings.shift();
    },
    nearest: (atMs, reachMs) => {
      const at = placeOf(atMs);
      const nearer = distanceOf(at - 1, atMs) <= distanceOf(at, atMs) ? at - 1 : at;
      return distanceOf(nearer, atMs) <= reachMs ? sightings[nearer] : undefined;
    },
    get latest() {
      return latest;
    },
  };
}

function toSighting(frame: VisualFrame, width: number): Sighting {
  const { atMs, row } = frame;
  if (row !== undefined && (row.length !== width || !row.every(Number.isFinite)))
    return { atMs, reason: 'unsupported_format' };
  const reason = reasonOf(frame);
  return reason === undefined && row !== undefined ? { atMs, row } : { atMs, reason: reason ?? 'unsupported_format' };
}
