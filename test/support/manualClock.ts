/** A clock that moves only when a test moves it. */
export type ManualClock = {
  readonly now: () => number;
  readonly schedule: (run: () => void, afterMs: number) => () => void;
  /** Moves on, and runs what becomes due, in order. */
  advance(ms: number): void;
  /** How long until each timer that waits, in order. */
  readonly pendingMs: readonly number[];
};

type Timer = { readonly atMs: number; readonly run: () => void };

/** Returns a clock that stands at `startMs`. */
export function createManualClock(startMs = 1_000): ManualClock {
  let nowMs = startMs;
  let timers: readonly Timer[] = [];
  const due = (untilMs: number): Timer | undefined => {
    const [first] = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
    timers = timers.filter((timer) => timer !== first);
    return first;
  };
  return {
    now: () => nowMs,
    schedule(run, afterMs) {
      const timer = { atMs: nowMs + afterMs, run };
      timers = [...timers, timer];
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let timer = due(untilMs); timer; timer = due(untilMs)) {
        nowMs = timer.atMs;
        timer.run();
      }
      nowMs = untilMs;
    },
    get pendingMs() {
      return timers.map(({ atMs }) => atMs - nowMs).sort((a, b) => a - b);
    },
  };
}
