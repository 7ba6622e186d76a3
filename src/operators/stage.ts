import { Observable, type OperatorFunction, takeWhile } from 'rxjs';

/** What an operator does with one value, and with the end. Both return what is emitted instead, in order. */
export type Stage<In, Out> = {
  next(value: In): readonly Out[];
  complete?(): readonly Out[];
};

/**
 * Returns an operator whose state is made by `start` at each subscription and never shared. Everything is synchronous:
 * a value is emitted while its cause is being delivered, so a slow consumer slows the source. On complete, what
 * `complete` returns is emitted first; on error, what the state holds is dropped and the error passes at once. What `next` or
 * `complete` throws is an error too, and leaves the source.
 * It does what `concatMap` over the lists would do, without a subscription for each list: a live server passes every 20 ms of
 * sound through a dozen of these. A source must not emit while it is delivering, which `concatMap` would allow.
 */
export function stage<In, Out>(start: () => Stage<In, Out>): OperatorFunction<In, Out> {
  return (source$) =>
    new Observable((subscriber) => {
      const state = start();
      const emit = (make: () => readonly Out[]): void => {
        try {
          for (const value of make()) subscriber.next(value);
        } catch (error) {
          subscriber.error(error);
        }
      };
      return source$.pipe(takeWhile(() => !subscriber.closed)).subscribe({
        next: (value) => emit(() => state.next(value)),
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          emit(() => state.complete?.() ?? []);
          subscriber.complete();
        },
      });
    });
}
