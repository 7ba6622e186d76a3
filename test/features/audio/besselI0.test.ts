import { describe, expect, it } from 'vitest';

import { besselI0 } from '../../../src/features/audio/besselI0.ts';

describe('besselI0', () => {
  // Abramowitz & Stegun, table 9.8, and, for 20, e^20 times its entry for e^-x I0(x).
  it.each([
    [0, 1],
    [1, 1.26606587775],
    [2, 2.27958530234],
    [5, 27.2398718236],
    [20, 43558282.5596],
  ])('is known for %s.', (x, expected) => {
    expect(besselI0(x) / expected).toBeCloseTo(1, 9);
  });

  it('is even.', () => {
    expect(besselI0(-3.5)).toBe(besselI0(3.5));
  });
});
