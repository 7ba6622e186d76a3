import type { Timers } from '../../adapters/asr/deepgram/timers.ts';

/** A clock that stands until it is advanced; what is due then happens in order of time. */
export function createManualTimers(): Timers & {
  readonly advance: (ms: number) => void;
  readonly waiting: () => number;
} {
  let nowMs = 0;
  const due = new Map<object, { atMs: number; callback: () => void }>();
  const next = (untilMs: number): object | undefined => {
    const ready = [...due].filter(([, { atMs }]) => atMs <= untilMs);
    return ready.sort(([, a], [, b]) => a.atMs - b.atMs)[0]?.[0];
  };
  return {
    now: () => nowMs,
    after: (ms, callback) => {
      const key = {};
      due.set(key, { atMs: nowMs + ms, callback });
      return () => void due.delete(key);
    },
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (let key = next(untilMs); key !== undefined; key = next(untilMs)) {
        const timer = due.get(key);
        due.delete(key);
        nowMs = timer?.atMs ?? nowMs;
        timer?.callback();
      }
      nowMs = untilMs;
    },
    waiting: () => due.size,
  };
}
