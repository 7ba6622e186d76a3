/** Lets only so many run at once; who waits goes first come, first served. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

/** Returns a turnstile. Whoever comes back queues again, so that streams with one piece of work each take turns. */
export function createTurnstile(limit: number): Turnstile {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}

/** Threads of libuv's pool unless UV_THREADPOOL_SIZE says otherwise, and the most that it has. */
const POOL = { usual: 4, most: 1_024 };

/**
 * How many decoders may run at a time: half of the threads of libuv's pool, so that files and names never wait for speech; one
 * where there is one thread, which they then share. @param poolSize UV_THREADPOOL_SIZE, as libuv reads it: a number, 1 at least.
 */
export function decodersAtOnce(poolSize: string | undefined): number {
  const asked = poolSize === undefined ? POOL.usual : Number.parseInt(poolSize, 10);
  const threads = Math.min(POOL.most, Math.max(1, Number.isNaN(asked) ? 1 : asked));
  return Math.max(1, Math.floor(threads / 2));
}
