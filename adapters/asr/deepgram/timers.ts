/** Wall time, injected so that tests need not wait. `after` returns what cancels it. */
export type Timers = {
  readonly now: () => number;
  readonly after: (ms: number, callback: () => void) => () => void;
};

/** The real clock. Its timers keep no process alive. */
export const SYSTEM_TIMERS: Timers = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
