/** How long a recognizer that failed is left alone: `baseMs`, doubled with each failure in a row, at most `maxMs`. */
export type BreakerSettings = { readonly baseMs: number; readonly maxMs: number };

/** 5 s after the first failure, 5 minutes at most. */
export const DEFAULT_BREAKER: BreakerSettings = { baseMs: 5_000, maxMs: 300_000 };

/** Whether something that may fail is tried, on a clock in ms that the caller reads. */
export type Breaker = {
  isAvailable(atMs: number): boolean;
  /** It failed; for good when it is of no use to try again. */
  failed(atMs: number, isForGood?: boolean): void;
  /** It worked: the next failure counts as the first. */
  worked(): void;
};

/** Returns a breaker of which nothing is known: available. */
export function createBreaker({ baseMs, maxMs }: BreakerSettings = DEFAULT_BREAKER): Breaker {
  let failures = 0;
  let retryAtMs = -Infinity;
  return {
    isAvailable: (atMs) => atMs >= retryAtMs,
    failed: (atMs, isForGood = false) => {
      failures += 1;
      const waitMs = isForGood ? Infinity : Math.min(maxMs, baseMs * 2 ** (failures - 1));
      retryAtMs = Math.max(retryAtMs, atMs + waitMs);
    },
    worked: () => {
      failures = 0;
    },
  };
}
