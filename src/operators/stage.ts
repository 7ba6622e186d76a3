import { concat, concatMap, defer, type OperatorFunction } from 'rxjs';

/** What an operator does with one value, and with the end. Both return what is emitted instead, in order. */
export type Stage<In, Out> = {
  next(value: In): readonly Out[];
  complete?(): readonly Out[];
};

/**
 * Returns an operator whose state is made by `start` at each subscription and never shared. Everything is synchronous:
 * a value is emitted while its cause is being delivered, so a slow consumer slows the source. On complete, what
 * `complete` returns is emitted first; on error, what the state holds is dropped and the error passes at once.
 */
export function stage<In, Out>(start: () => Stage<In, Out>): OperatorFunction<In, Out> {
  return (source$) =>
    defer(() => {
      const state = start();
      return concat(
        source$.pipe(concatMap((value) => state.next(value))),
        defer(() => state.complete?.() ?? []),
      );
    });
}
