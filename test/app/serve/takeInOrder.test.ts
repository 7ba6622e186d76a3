import { from, NEVER, Observable, of, Subject, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { takeInOrder, type Taking } from '../../../src/app/serve/takeInOrder.ts';

/** Promises that are settled by hand, one for each value that is given. */
function later() {
  const waiting: { readonly resolve: (value: readonly string[]) => void; readonly reject: (cause: unknown) => void }[] =
    [];
  const take: Taking<number, string> = () =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
    });
  return { take, waiting };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function subscribed(take: Taking<number, string>) {
  const source$ = new Subject<number>();
  const told: string[] = [];
  let taken = 0;
  const subscription = source$.pipe(takeInOrder(take, () => taken++)).subscribe({
    next: (value) => told.push(value),
    error: (error: unknown) => told.push(`error ${String(error)}`),
    complete: () => told.push('over'),
  });
  return { source$, told, subscription, taken: () => taken };
}

describe('takeInOrder', () => {
  it('emits what is made at once while its cause is being delivered', () => {
    const { source$, told, taken } = subscribed((value) => [`${value}a`, `${value}b`]);
    source$.next(1);
    expect(told).toEqual(['1a', '1b']);
    source$.next(2);
    expect(told).toEqual(['1a', '1b', '2a', '2b']);
    expect(taken()).toBe(2);
  });

  it('begins everything at once, and keeps the order of the values when the last is made first', async () => {
    const { take, waiting } = later();
    const { source$, told, taken } = subscribed(take);
    for (const value of [1, 2, 3]) source$.next(value);
    expect(waiting).toHaveLength(3);
    waiting[2]?.resolve(['3']);
    waiting[1]?.resolve([]);
    await settled();
    expect(told).toEqual([]);
    expect(taken()).toBe(0);
    waiting[0]?.resolve(['1']);
    await settled();
    expect(told).toEqual(['1', '3']);
    expect(taken()).toBe(3);
  });

  it('lets what is made at once wait for what is being made before it', async () => {
    const { take, waiting } = later();
    const { source$, told } = subscribed((value) => (value === 1 ? take(value) : [String(value)]));
    source$.next(1);
    source$.next(2);
    expect(told).toEqual([]);
    waiting[0]?.resolve(['1']);
    await settled();
    expect(told).toEqual(['1', '2']);
  });

  it('keeps the order when the source emits while it is being listened to', () => {
    const source$ = new Subject<number>();
    const told: number[] = [];
    source$
      .pipe(
        takeInOrder(
          (value: number) => [value, value + 10],
          () => undefined,
        ),
      )
      .subscribe((value) => {
        told.push(value);
        if (value === 1) source$.next(2);
      });
    source$.next(1);
    expect(told).toEqual([1, 11, 2, 12]);
  });

  it('completes after what is being made', async () => {
    const { take, waiting } = later();
    const { source$, told } = subscribed(take);
    source$.next(1);
    source$.complete();
    expect(told).toEqual([]);
    waiting[0]?.resolve(['1']);
    await settled();
    expect(told).toEqual(['1', 'over']);
  });

  it('passes an error of the source, of what is made, and of what is being made, each at once', async () => {
    const { take, waiting } = later();
    const { source$, told } = subscribed(take);
    source$.next(1);
    source$.next(2);
    waiting[1]?.reject('broken');
    await settled();
    waiting[0]?.resolve(['1']);
    await settled();
    expect(told).toEqual(['error broken']);
    const errors: unknown[] = [];
    const thrown: Taking<number, string> = () => {
      throw new Error('taken');
    };
    of(1)
      .pipe(takeInOrder(thrown, () => undefined))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    throwError(() => 'source')
      .pipe(
        takeInOrder(
          () => [],
          () => undefined,
        ),
      )
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([new Error('taken'), 'source']);
  });

  it('tells nothing once it is left, and leaves the source', async () => {
    let isLeft = false;
    const source$ = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => (isLeft = true);
    });
    const { take, waiting } = later();
    const told: string[] = [];
    const subscription = source$.pipe(takeInOrder(take, () => undefined)).subscribe((value) => told.push(value));
    subscription.unsubscribe();
    waiting[0]?.resolve(['1']);
    await settled();
    expect(isLeft).toBe(true);
    expect(told).toEqual([]);
  });

  it('says nothing of a source that says nothing, and completes with one that is empty', () => {
    const told: unknown[] = [];
    NEVER.pipe(
      takeInOrder(
        () => ['x'],
        () => undefined,
      ),
    ).subscribe((value) => told.push(value));
    from([])
      .pipe(
        takeInOrder(
          () => ['x'],
          () => undefined,
        ),
        toArray(),
      )
      .subscribe((all) => told.push(all));
    expect(told).toEqual([[]]);
  });
});
