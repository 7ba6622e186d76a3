import { describe, expect, it } from 'vitest';
import { createFrameClock } from '../../../../src/client/browser/vision/frameClock.ts';

describe('createFrameClock', () => {
  it('keeps the rhythm of the frames whatever delays they come with', () => {
    const toPageMs = createFrameClock();
    const delays = [40, 5, 30, 5, 90, 5, 7];
    const times = delays.map((delayMs, i) => toPageMs(1_000_000 + i * 100, i * 100 + delayMs));
    const steps = times.slice(2).map((atMs, i) => atMs - (times[i + 1] ?? 0));
    for (const step of steps) expect(Math.abs(step - 100)).toBeLessThan(1);
  });

  it('never says that a picture was taken later than now, nor before the one before', () => {
    const toPageMs = createFrameClock();
    let lastMs = -Infinity;
    for (let i = 0; i < 1_000; i++) {
      const nowMs = i * 33 + ((i * 7_919) % 60);
      const atMs = toPageMs(i * 33, nowMs);
      expect(atMs).toBeLessThanOrEqual(nowMs);
      expect(atMs).toBeGreaterThan(lastMs);
      lastMs = atMs;
    }
  });

  it('follows a camera whose clock runs slow, and one that runs fast', () => {
    for (const rate of [0.9995, 1.0005]) {
      const toPageMs = createFrameClock();
      let errorMs = 0;
      for (let i = 0; i < 40_000; i++) {
        const nowMs = i * 33 + (i % 3) * 4;
        errorMs = nowMs - toPageMs(i * 33 * rate, nowMs);
      }
      expect(errorMs).toBeLessThan(40);
    }
  });

  it('begins anew after a clock that jumped, forwards or backwards', () => {
    const toPageMs = createFrameClock();
    toPageMs(0, 10);
    expect(toPageMs(90_000, 110)).toBe(110);
    expect(toPageMs(50, 210)).toBe(210);
  });
});
