/** How long to wait between attempts to connect. */
export type BackoffSettings = { readonly baseMs: number; readonly maxMs: number };

/** Half a second at first, never more than half a minute. */
export const DEFAULT_BACKOFF: BackoffSettings = { baseMs: 500, maxMs: 30_000 };

/**
 * Returns how long to wait after `failures` failures in a row (1, 2, 3 …): `baseMs` doubled for each further one, at most
 * `maxMs`, of which a random half, so that clients that were cut off together do not come back together.
 * @param random A number in [0, 1).
 */
export function backoffMs(failures: number, random: number, { baseMs, maxMs }: BackoffSettings): number {
  const wholeMs = Math.min(maxMs, baseMs * 2 ** (failures - 1));
  return wholeMs / 2 + (random * wholeMs) / 2;
}
