/** Gives out what flows in at a steady rate, such as messages or bytes, and saves up to `burst` of it. */
export type TokenBucket = {
  /** Takes `amount` and returns true, or takes nothing and returns false when there is not so much. */
  readonly take: (amount?: number) => boolean;
};

/** How fast a bucket fills, and how much it holds; both above 0. */
export type BucketSettings = { readonly perSecond: number; readonly burst: number };

/**
 * Returns a full bucket. A clock that is set back adds nothing and takes nothing away.
 * @throws RangeError when a setting, or an amount that is asked for, is not a positive number
 */
export function createTokenBucket({ perSecond, burst }: BucketSettings, { now }: { now: () => number }): TokenBucket {
  assertPositive('perSecond', perSecond);
  assertPositive('burst', burst);
  let left = burst;
  let lastMs = now();
  return {
    take: (amount = 1) => {
      assertPositive('amount', amount);
      const nowMs = now();
      if (nowMs > lastMs) left = Math.min(burst, left + ((nowMs - lastMs) / 1_000) * perSecond);
      lastMs = nowMs;
      if (amount > left) return false;
      left -= amount;
      return true;
    },
  };
}

function assertPositive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${name} must be a number above 0, not ${value}`);
}
