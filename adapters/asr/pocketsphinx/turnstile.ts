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
