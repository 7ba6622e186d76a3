import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { StreamKind } from '../domain/observation.ts';

/** How late the event loop is. */
export type LoopDelay = {
  /** The mean since it was asked last, in ms; 0 when nothing was measured. */
  take(): number;
  stop(): void;
};

/**
 * What a server does without, step by step, when it has more to do than it can: 1 new sessions; 2 rows of faces and bodies and
 * pictures, which cost most and of which every answer says that they are missing; 3 what passes between the first and the final
 * answer to an utterance. Sound, words and final answers are never let go.
 */
export type LoadStep = 0 | 1 | 2 | 3;

/** Watches whether a server can do what it has to. Time passes by `tick` alone. */
export type LoadWatch = {
  readonly step: LoadStep;
  /** How long what came had waited when `tick` asked last, in ms. */
  readonly delayMs: number;
  /** Asks how long what comes waits. Returns whether the step has changed. */
  tick(nowMs: number): boolean;
  /** There is nothing to do any more: everything is done again, at once. */
  reset(): void;
};

/** A step further after so long above the bound … */
export const RISE_MS = 2_000;
/** … and one back after so long below half of it: what comes back costs again what it did. */
export const FALL_MS = 10_000;
const RESOLUTION_MS = 10;
const MAX_STEP = 3;
const NO_KINDS: ReadonlySet<StreamKind> = new Set();
const SEEN_KINDS: ReadonlySet<StreamKind> = new Set(['face', 'body', 'video']);

/**
 * Returns the watch of a server that has nothing to do. `takeDelayMs`: how long what comes waits, since it was asked last, in ms;
 * `maxDelayMs`: how long it may wait for good.
 */
export function createLoadWatch(maxDelayMs: number, takeDelayMs: () => number): LoadWatch {
  let step: LoadStep = 0;
  let delayMs = 0;
  /** Since when the delay has been on the same side: above the bound (1), below half of it (-1) or between. */
  let side = 0;
  let sinceMs = -Infinity;
  return {
    get step() {
      return step;
    },
    get delayMs() {
      return delayMs;
    },
    tick: (nowMs) => {
      delayMs = takeDelayMs();
      const now = delayMs > maxDelayMs ? 1 : delayMs < maxDelayMs / 2 ? -1 : 0;
      if (now !== side) [side, sinceMs] = [now, nowMs];
      if (side === 0 || nowMs - sinceMs < (side > 0 ? RISE_MS : FALL_MS)) return false;
      const next = Math.max(0, Math.min(MAX_STEP, step + side)) as LoadStep;
      sinceMs = nowMs;
      if (next === step) return false;
      step = next;
      return true;
    },
    reset: () => {
      step = 0;
      side = 0;
    },
  };
}

/** The kinds of streams that are let go unread at a step. */
export function kindsShed(step: LoadStep): ReadonlySet<StreamKind> {
  return step >= 2 ? SEEN_KINDS : NO_KINDS;
}

/** Begins to measure how late the event loop of this process is. */
export function measureLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before = { count: 0, sumMs: 0 };
  return {
    take: () => {
      // It holds the times between calls that should be RESOLUTION_MS apart, in ns. Emptied, it would leave out the next of them,
      // which is all of them in a loop that is very late.
      const { count } = histogram;
      const sumMs = count > 0 ? (histogram.mean / 1e6) * count : 0;
      const meanMs = count > before.count ? (sumMs - before.sumMs) / (count - before.count) : 0;
      before = { count, sumMs };
      return Math.max(0, meanMs - RESOLUTION_MS);
    },
    stop: () => histogram.disable(),
  };
}
