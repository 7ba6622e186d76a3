import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '../../src/server/rateLimit.ts';

describe('a token bucket', () => {
  it('gives its burst at once, then what flows in', () => {
    let nowMs = 0;
    const bucket = createTokenBucket({ perSecond: 2, burst: 3 }, { now: () => nowMs });
    expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, true, false]);
    nowMs = 499;
    expect(bucket.take()).toBe(false);
    nowMs = 500;
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  });

  it('takes nothing when it refuses', () => {
    const bucket = createTokenBucket({ perSecond: 1, burst: 10 }, { now: () => 0 });
    expect([bucket.take(11), bucket.take(10), bucket.take(1)]).toEqual([false, true, false]);
  });

  it('saves no more than its burst', () => {
    let nowMs = 0;
    const bucket = createTokenBucket({ perSecond: 100, burst: 5 }, { now: () => nowMs });
    bucket.take(5);
    nowMs = 1e12;
    expect([bucket.take(5), bucket.take(0.01)]).toEqual([true, false]);
  });

  it('goes on when the clock is set back', () => {
    let nowMs = 10_000;
    const bucket = createTokenBucket({ perSecond: 1, burst: 1 }, { now: () => nowMs });
    bucket.take();
    nowMs = 0;
    expect(bucket.take()).toBe(false);
    nowMs = 1_000;
    expect(bucket.take()).toBe(true);
  });

  it.each([0, -1, NaN, Infinity])('refuses the setting or amount %s', (value) => {
    const clock = { now: () => 0 };
    expect(() => createTokenBucket({ perSecond: value, burst: 1 }, clock)).toThrow(RangeError);
    expect(() => createTokenBucket({ perSecond: 1, burst: value }, clock)).toThrow(RangeError);
    expect(() => createTokenBucket({ perSecond: 1, burst: 1 }, clock).take(value)).toThrow(RangeError);
  });

  it('never gives more than burst + rate × time, whoever asks when', () => {
    const step = fc.record({ waitMs: fc.nat(2_000), amount: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 100 }), (steps, burst) => {
        let [nowMs, given] = [0, 0];
        const bucket = createTokenBucket({ perSecond: 20, burst }, { now: () => nowMs });
        for (const { waitMs, amount } of steps) {
          nowMs += waitMs;
          if (bucket.take(amount)) given += amount;
          expect(given).toBeLessThanOrEqual(burst + (nowMs / 1_000) * 20 + 1e-6);
        }
      }),
    );
  });
});
