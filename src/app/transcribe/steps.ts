import type { Timers } from './timers.ts';

/** Steps of something that may stall, one at a time. */
export type Steps = {
  /** Resolves as `work` does; rejects as it does, with what `fail` is called with, or when it takes longer than `STALL_MS`. */
  take<T>(work: () => Promise<T>): Promise<T>;
  /** Makes the step that is under way reject; answers whether there is one. */
  fail(failure: Error): boolean;
};

/** A recognizer that does not take sound or end for so long, in wall time, has stalled. */
export const STALL_MS = 10_000;

/** Returns steps of which none is under way. @param toError Makes the error of a step that stalls, or fails without one. */
export function createSteps(timers: Timers, toError: (how: string) => Error): Steps {
  let failWaiting: ((failure: Error) => void) | undefined;
  const take = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        cancel();
        failWaiting = undefined;
      };
      const give = (failure: Error): void => {
        leave();
        reject(failure);
      };
      const cancel = timers.after(STALL_MS, () => give(toError(`stalled for ${STALL_MS} ms`)));
      failWaiting = give;
      work().then(
        (done) => {
          leave();
          resolve(done);
        },
        (cause: unknown) => give(cause instanceof Error ? cause : toError('failed')),
      );
    });
  const fail = (failure: Error): boolean => {
    const isWaiting = failWaiting !== undefined;
    failWaiting?.(failure);
    return isWaiting;
  };
  return { take, fail };
}
