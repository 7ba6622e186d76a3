import { describe, expect, it } from 'vitest';
import { afterTaking, FIRST_RATE, isDue, PICTURE_RATES, rateOf } from '../../src/vision/pictureRate.ts';

describe('pictureRate', () => {
  it('takes ten of thirty pictures a second', () => {
    let state = FIRST_RATE;
    let taken = 0;
    for (let atMs = 0; atMs < 1_000; atMs += 1_000 / 30) {
      if (!isDue(state, atMs)) continue;
      state = afterTaking(state, atMs, false);
      taken++;
    }
    expect(taken).toBe(10);
  });

  it('lets a picture through that comes a little before its time, or with an earlier time', () => {
    const state = afterTaking(FIRST_RATE, 1_000, false);
    expect([isDue(state, 1_095), isDue(state, 1_080), isDue(state, 1_000), isDue(state, 0)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('goes from 10 over 5 to 2 pictures a second when pictures keep making way, and no lower', () => {
    let state = FIRST_RATE;
    const rates = Array.from({ length: 9 }, (_, i) => {
      state = afterTaking(state, i * 500, true);
      return rateOf(state.step);
    });
    expect(rates).toEqual([10, 10, 5, 5, 5, 2, 2, 2, 2]);
    expect(PICTURE_RATES).toEqual([10, 5, 2]);
  });

  it('goes up one step after each ten calm seconds', () => {
    let state = { ...FIRST_RATE, step: 2, calmSinceMs: 0 };
    const steps = [9_999, 10_000, 19_999, 20_000, 30_000].map(
      (atMs) =>
        (state = { ...afterTaking(state, atMs, false), calmSinceMs: afterTaking(state, atMs, false).calmSinceMs ?? 0 })
          .step,
    );
    expect(steps).toEqual([2, 1, 1, 0, 0]);
  });

  it('forgets a picture that made way once ten calm seconds have passed', () => {
    let state = afterTaking(afterTaking(FIRST_RATE, 0, true), 500, true);
    state = afterTaking(state, 10_500, false);
    state = afterTaking(state, 10_600, true);
    expect([state.step, state.late]).toEqual([0, 1]);
  });
});
