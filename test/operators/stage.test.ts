import { concat, NEVER, Observable, of, Subject, take, throwError, toArray } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { stage } from '../../src/operators/stage.ts';

const inVirtualTime = (test: (helpers: RunHelpers) => void): void =>
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(test);

/** Emits each letter with how many it has had, and at the end their number. */
const count = () =>
  stage<string, string>(() => {
    let seen = 0;
    return { next: (letter) => [`${letter}${++seen}`], complete: () => [`#${seen}`] };
  });
/** Emits each value twice. */
const twice = () => stage<string, string>(() => ({ next: (value) => [value, value] }));
/** Emits nothing of what has an `x`. */
const withoutX = () => stage<string, string>(() => ({ next: (value) => (value.includes('x') ? [] : [value]) }));

describe.each([
  ['one stage', 1],
  ['stages that follow one another', 2],
] as const)('stage: %s', (_, many) => {
  const operator = (source$: Observable<string>) =>
    many === 1 ? source$.pipe(count()) : source$.pipe(withoutX(), count());

  it.each([
    ['emits nothing while nothing comes', '-----', '-----', '^----'],
    ['emits what the end makes of nothing', '--|', '--(z|)', '^-!'],
    ['emits each value while its cause is delivered, and the rest at the end', '-a-b-|', '-p-q-(r|)', '^----!'],
    ['passes an error at once and drops what is held', '-a-#', '-p-#', '^--!'],
  ])('%s', (_title, source, expected, lives) => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold(source);
      expectObservable(operator(source$)).toBe(expected, { p: 'a1', q: 'b2', r: '#2', z: '#0' });
      expectSubscriptions(source$.subscriptions).toBe(lives);
    });
  });

  it('leaves the source when nobody listens any more', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-a-a');
      expectObservable(operator(source$), '---!').toBe('-p-', { p: 'a1' });
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  it('leaves an endless source that emits at once', () => {
    let given = 0;
    const endless$ = new Observable<string>((subscriber) => {
      while (!subscriber.closed) subscriber.next(String(++given));
    });
    const seen: string[] = [];
    operator(endless$)
      .pipe(take(3))
      .subscribe((value) => seen.push(value));
    expect(seen).toEqual(['11', '22', '33']);
    expect(given).toBeLessThanOrEqual(4);
  });

  it('makes its state anew for each who subscribes', () => {
    const counted$ = operator(of('a', 'b'));
    for (const _again of [1, 2]) {
      const seen: string[] = [];
      counted$.subscribe((value) => seen.push(value));
      expect(seen).toEqual(['a1', 'b2', '#2']);
    }
  });

  it('makes no state before somebody subscribes', () => {
    let begun = 0;
    const lazy$ = operator(of('a')).pipe(
      stage(() => {
        begun++;
        return { next: (value: string) => [value] };
      }),
    );
    expect(begun).toBe(0);
    lazy$.subscribe();
    expect(begun).toBe(1);
  });
});

describe('stages that follow one another', () => {
  const collect = (source$: Observable<string>): readonly string[] => {
    let seen: readonly string[] = [];
    source$.pipe(toArray()).subscribe((values) => (seen = values));
    return seen;
  };

  it('let each value run through all of them before the next', () => {
    const log: string[] = [];
    const note = (name: string) =>
      stage<string, string>(() => ({
        next: (value) => {
          log.push(`${name} ${value}`);
          return [value];
        },
      }));
    collect(of('a', 'b').pipe(note('1'), twice(), note('2')));
    expect(log).toEqual(['1 a', '2 a', '2 a', '1 b', '2 b', '2 b']);
  });

  it('end one after the other: what the first tells at the end is heard by the second before its own end', () => {
    expect(collect(of('a', 'x').pipe(count(), twice(), withoutX(), count()))).toEqual([
      'a11',
      'a12',
      '#23',
      '#24',
      '#4',
    ]);
  });

  it('are independent of a chain that branches off half-way', () => {
    const half$ = of('a').pipe(count());
    const [left$, right$] = [half$.pipe(twice()), half$.pipe(withoutX())];
    expect(collect(left$)).toEqual(['a1', 'a1', '#1', '#1']);
    expect(collect(right$)).toEqual(['a1', '#1']);
    expect(collect(half$)).toEqual(['a1', '#1']);
  });

  it('go on where another operator stands between them', () => {
    expect(collect(of('a', 'b', 'c').pipe(count(), take(2), twice()))).toEqual(['a1', 'a1', 'b2', 'b2']);
  });

  it.each(['next', 'complete'] as const)('leave the source when a stage in the middle throws in %s', (where) => {
    const broken = stage<string, string>(() => ({
      next: (value) => [value],
      [where]: () => {
        throw new Error('broken');
      },
    }));
    const source$ = new Subject<string>();
    const seen: string[] = [];
    source$.pipe(twice(), broken, count()).subscribe({
      next: (value) => seen.push(value),
      error: (error: Error) => seen.push(error.message),
      complete: () => seen.push('complete'),
    });
    source$.next('a');
    source$.complete();
    expect(seen).toEqual(where === 'next' ? ['broken'] : ['a1', 'a2', 'broken']);
    expect(source$.observed).toBe(false);
  });

  it('hand on the error of the source, and nothing after it', () => {
    const failing$ = concat(
      of('a'),
      throwError(() => new Error('gone')),
      NEVER,
    );
    const seen: string[] = [];
    failing$.pipe(count(), twice()).subscribe({
      next: (value) => seen.push(value),
      error: (error: Error) => seen.push(error.message),
    });
    expect(seen).toEqual(['a1', 'a1', 'gone']);
  });
});
