/** Calls back after some ms unless the returned function is called before; the product's is `setTimeout`. */
export type Timers = { after(ms: number, callback: () => void): () => void };

/** The timers of the process. */
export const WALL_TIMERS: Timers = {
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
