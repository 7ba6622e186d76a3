import { from, toArray, type OperatorFunction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Signal } from '../../src/operators/signal.ts';

/** Runs a marble test in virtual time. */
export function marbles(run: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(run);
}

/** Everything an operator makes of these signals, at once. */
export function outputOf<Out>(operator: OperatorFunction<Signal, Out>, signals: readonly Signal[]): readonly Out[] {
  const out: Out[] = [];
  from(signals)
    .pipe(operator, toArray())
    .subscribe((all) => out.push(...all));
  return out;
}

/** What every operator of ours keeps, whatever it does. `atEnd`: what it emits on an empty source (`undefined`: nothing). */
export function describeOperator<Out>(name: string, create: () => OperatorFunction<Signal, Out>, atEnd?: Out): void {
  const tick: Signal = { type: 'camera', arrivalMs: 1, streamId: 'v', isOn: true };
  describe(`${name}, as every operator,`, () => {
    it('says nothing while the source says nothing.', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source$ = cold<Signal>('-----');
        expectObservable(source$.pipe(create()), '^----!').toBe('-----');
        expectSubscriptions(source$.subscriptions).toBe('^----!');
      });
    });

    it('completes when an empty source completes.', () => {
      marbles(({ cold, expectObservable }) => {
        const out$ = cold<Signal>('---|').pipe(create());
        if (atEnd === undefined) expectObservable(out$).toBe('---|');
        else expectObservable(out$).toBe('---(e|)', { e: atEnd });
      });
    });

    it('passes an error of the source at once.', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const source$ = cold<Signal>('---#', {}, 'broken');
        expectObservable(source$.pipe(create())).toBe('---#', {}, 'broken');
        expectSubscriptions(source$.subscriptions).toBe('^--!');
      });
    });

    it('leaves an endless source when it is left.', () => {
      marbles(({ hot, expectSubscriptions, expectObservable }) => {
        const source$ = hot<Signal>('a-a-a-a-a-a', { a: tick });
        expectObservable(source$.pipe(create(), toArray()), '^---!').toBe('-----');
        expectSubscriptions(source$.subscriptions).toBe('^---!');
      });
    });

    it('shares no state between two subscribers.', () => {
      const operator = create();
      expect(outputOf(operator, [tick, tick])).toEqual(outputOf(operator, [tick, tick]));
    });
  });
}
