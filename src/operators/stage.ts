import { Observable, type OperatorFunction, type Subscriber, type TeardownLogic, takeWhile } from 'rxjs';

/** What an operator does with one value, and with the end. Both return what is emitted instead, in order. */
export type Stage<In, Out> = {
  next(value: In): readonly Out[];
  complete?(): readonly Out[];
};

/** A stage among others: what it is given is what the one before emits. */
type AnyStage = Stage<unknown, unknown>;

/**
 * Returns an operator whose state is made by `start` at each subscription and never shared. Everything is synchronous:
 * a value is emitted while its cause is being delivered, so a slow consumer slows the source. On complete, what
 * `complete` returns is emitted first; on error, what the state holds is dropped and the error passes at once. What `next` or
 * `complete` throws is an error too, and leaves the source.
 * It does what `concatMap` over the lists would do, without a subscription for each list; and stages that follow one another
 * are one subscription, in which each value runs through all of them: a live server passes every 20 ms of
 * sound through a dozen. A source must not emit while it is delivering, which `concatMap` would allow.
 */
export function stage<In, Out>(start: () => Stage<In, Out>): OperatorFunction<In, Out> {
  return (source$) => {
    const begins = start as () => AnyStage;
    if (source$ instanceof Staged) return new Staged<Out>(source$.origin$, [...source$.starts, begins]);
    return new Staged<Out>(source$, [begins]);
  };
}

/** What comes of a source after some stages. */
class Staged<Out> extends Observable<Out> {
  readonly origin$: Observable<unknown>;
  readonly starts: readonly (() => AnyStage)[];

  constructor(origin$: Observable<unknown>, starts: readonly (() => AnyStage)[]) {
    super((subscriber) => run(this, subscriber));
    this.origin$ = origin$;
    this.starts = starts;
  }
}

function run<Out>({ origin$, starts }: Staged<Out>, subscriber: Subscriber<Out>): TeardownLogic {
  const stages = starts.map((start) => start());
  /** Gives values to the stage at `index`, and what it makes of each to the one after; past the last they are emitted. */
  const give = (index: number, values: readonly unknown[]): void => {
    const to = stages[index];
    for (const value of values) {
      if (subscriber.closed) return;
      if (to) give(index + 1, to.next(value));
      else subscriber.next(value as Out);
    }
  };
  const end = (): void => stages.forEach((ended, index) => give(index + 1, ended.complete?.() ?? []));
  const [first] = stages;
  return origin$.pipe(takeWhile(() => !subscriber.closed)).subscribe({
    next: (value) => {
      try {
        if (first) give(1, first.next(value));
      } catch (error) {
        subscriber.error(error);
      }
    },
    error: (error: unknown) => subscriber.error(error),
    complete: () => {
      try {
        end();
      } catch (error) {
        subscriber.error(error);
      }
      subscriber.complete();
    },
  });
}
