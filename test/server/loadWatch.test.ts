import { describe, expect, it } from 'vitest';
import { createLoadWatch, FALL_MS, kindsShed, measureLoopDelay, RISE_MS } from '../../src/server/loadWatch.ts';

const BOUND_MS = 100;
const TICK_MS = 200;

/** A watch whose clock and event loop are ours: `go` lets time pass at a delay and returns the steps that were taken. */
function watched() {
  let nowMs = 0;
  let delayMs = 0;
  const watch = createLoadWatch(BOUND_MS, () => delayMs);
  const go = (lateMs: number, forMs: number): readonly number[] => {
    delayMs = lateMs;
    const steps: number[] = [];
    for (const untilMs = nowMs + forMs; nowMs < untilMs;) {
      nowMs += TICK_MS;
      if (watch.tick(nowMs)) steps.push(watch.step);
    }
    return steps;
  };
  return { watch, go };
}

describe('createLoadWatch', () => {
  it('takes no step while things wait for a moment only, however long', () => {
    const { watch, go } = watched();
    for (let n = 0; n < 20; n++) expect([...go(5_000, RISE_MS), ...go(0, TICK_MS)]).toEqual([]);
    expect(watch.step).toBe(0);
  });

  it('takes one step after another while things go on waiting, to the third', () => {
    const { watch, go } = watched();
    expect(go(BOUND_MS + 1, RISE_MS)).toEqual([]);
    expect(go(BOUND_MS + 1, TICK_MS)).toEqual([1]);
    expect(go(BOUND_MS + 1, RISE_MS)).toEqual([2]);
    expect(go(BOUND_MS + 1, 10 * RISE_MS)).toEqual([3]);
    expect(watch.delayMs).toBe(BOUND_MS + 1);
  });

  it('goes back, more slowly, when the delay stays below half of the bound', () => {
    const { go } = watched();
    go(BOUND_MS + 1, 4 * RISE_MS);
    expect(go(BOUND_MS / 2 - 1, FALL_MS)).toEqual([]);
    expect(go(BOUND_MS / 2 - 1, TICK_MS)).toEqual([2]);
    expect(go(0, 5 * FALL_MS)).toEqual([1, 0]);
  });

  it('stays where it is between half of the bound and the bound', () => {
    const { watch, go } = watched();
    go(BOUND_MS + 1, RISE_MS + TICK_MS);
    for (const delayMs of [BOUND_MS / 2, BOUND_MS]) expect(go(delayMs, 5 * FALL_MS)).toEqual([]);
    expect(watch.step).toBe(1);
  });

  it('counts the time on one side anew after the other', () => {
    const { go } = watched();
    go(BOUND_MS + 1, RISE_MS + TICK_MS);
    expect([...go(0, FALL_MS), ...go(BOUND_MS + 1, RISE_MS), ...go(0, FALL_MS)]).toEqual([]);
    expect(go(0, TICK_MS)).toEqual([0]);
  });

  it('begins anew when there is nothing to do any more', () => {
    const { watch, go } = watched();
    go(BOUND_MS + 1, 10 * RISE_MS);
    watch.reset();
    expect(watch.step).toBe(0);
    expect(go(BOUND_MS + 1, RISE_MS)).toEqual([]);
    expect(go(BOUND_MS + 1, TICK_MS)).toEqual([1]);
  });
});

describe('kindsShed', () => {
  it('is faces, bodies and pictures from the second step on, and never sound or words', () => {
    expect(([0, 1, 2, 3] as const).map((step) => [...kindsShed(step)])).toEqual([
      [],
      [],
      ['face', 'body', 'video'],
      ['face', 'body', 'video'],
    ]);
  });
});

describe('measureLoopDelay', () => {
  it('tells how late a loop was that was kept busy, and then begins anew', async () => {
    const delay = measureLoopDelay();
    const lateMs: number[] = [];
    // A loop that is late at every turn: each time it is asked anew, right after it was late.
    for (let turn = 0; turn < 4; turn++) {
      await nextTurn(20);
      lateMs.push(delay.take());
      for (const untilMs = performance.now() + 150; performance.now() < untilMs;);
    }
    expect(Math.min(...lateMs.slice(1))).toBeGreaterThan(20);
    expect(delay.take()).toBe(0);
    delay.stop();
  });
});

async function nextTurn(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
