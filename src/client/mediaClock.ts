/** The media times of a producer: those of the caller, and those that the server is told. */
export type MediaClock = {
  /** A `hello` begins a session: media time 0, should it be welcomed. */
  helloSent(): void;
  /** The hello was welcomed as a new session. Returns whether there was one before. */
  begun(): boolean;
  /** Media time now, ms since the first hello that was welcomed. */
  nowMs(): number;
  /** The server's media time, which begins anew with each session; below 0 it lies before. */
  toWire(mediaMs: number): number;
};

/** Returns a clock on which nothing has begun. */
export function createMediaClock(now: () => number): MediaClock {
  let helloMs = now();
  let originMs: number | undefined;
  let shiftMs = 0;
  return {
    helloSent() {
      helloMs = now();
    },
    begun() {
      const isFirst = originMs === undefined;
      originMs ??= helloMs;
      shiftMs = helloMs - originMs;
      return !isFirst;
    },
    nowMs: () => Math.max(0, now() - (originMs ?? helloMs)),
    toWire: (mediaMs) => mediaMs - shiftMs,
  };
}
