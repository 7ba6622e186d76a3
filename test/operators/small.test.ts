import fc from 'fast-check';
import { from, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/domain/observation.ts';
import { pushBounded, requirePositive, setBounded } from '../../src/operators/bounded.ts';
import { respectPrivacy } from '../../src/operators/respectPrivacy.ts';
import { coveredBy, overlapMs, totalMs, uncovered } from '../../src/operators/spans.ts';
import { stage } from '../../src/operators/stage.ts';
import { createStreams, isSameSpeaker } from '../../src/operators/streams.ts';
import { frames } from '../support/pictures.ts';
import { ADA, BEN, cue, opened, turn, voice } from '../support/scriptedCall.ts';
import { marbles } from './operatorContract.ts';

describe('spans', () => {
  const span = fc
    .tuple(fc.nat(100), fc.integer({ min: 1, max: 50 }))
    .map(([startMs, ms]) => ({ startMs, endMs: startMs + ms }));
  it('divide any stretch into what is covered and what is not.', () => {
    fc.assert(
      fc.property(fc.array(span), span, (spans, within) => {
        const covered = coveredBy(spans, within);
        const free = uncovered(covered, within);
        expect(totalMs(covered) + totalMs(free)).toBe(within.endMs - within.startMs);
        for (let ms = within.startMs; ms < within.endMs; ms++) {
          const isCovered = spans.some(({ startMs, endMs }) => startMs <= ms && ms < endMs);
          const here = { startMs: ms, endMs: ms + 1 };
          expect(covered.some((one) => overlapMs(one, here) === 1)).toBe(isCovered);
          expect(free.some((one) => overlapMs(one, here) === 1)).toBe(!isCovered);
        }
      }),
    );
  });
  it('that only touch have nothing in common.', () => {
    expect(overlapMs({ startMs: 0, endMs: 5 }, { startMs: 5, endMs: 9 })).toBe(0);
  });
});

describe('bounded collections', () => {
  it('forget the oldest and say how many.', () => {
    const list: number[] = [];
    expect([1, 2, 3].map((value) => pushBounded(list, value, 2))).toEqual([0, 0, 1]);
    expect(list).toEqual([2, 3]);
  });
  it('count an entry that is set again as new.', () => {
    const map = new Map<string, number>();
    for (const key of ['a', 'b', 'a', 'c']) setBounded(map, key, 1, 2);
    expect([...map.keys()]).toEqual(['a', 'c']);
  });
  it.each([0, -1, NaN, Infinity])('take no limit of %d.', (value) => {
    expect(() => requirePositive({ gapMs: value })).toThrow(
      new RangeError(`gapMs must be a finite number greater than 0, got ${value}`),
    );
  });
});

describe('createStreams', () => {
  it('knows which audio may carry a speaker: the own, else the mixed, and all for nobody in particular.', () => {
    const streams = createStreams(false);
    for (const stream of [opened('a', 'audio', ADA), opened('m', 'audio'), opened('v', 'video', BEN)])
      streams.observe(stream);
    const ids = (speaker?: typeof ADA): string[] => streams.audioOf(speaker).map(({ streamId }) => streamId);
    expect([ids(ADA), ids(BEN), ids()]).toEqual([['a'], ['m'], ['a', 'm']]);
  });
  it('takes a stream for diarized when turns are expected, or when one comes.', () => {
    const expected = createStreams(true);
    expected.observe(opened('m', 'audio'));
    expected.observe(opened('a', 'audio', ADA));
    expect([expected.get('m')?.isDiarized, expected.get('a')?.isDiarized]).toEqual([true, false]);
    const surprised = createStreams(false);
    surprised.observe(opened('m', 'audio'));
    expect(surprised.get('m')?.isDiarized).toBe(false);
    surprised.observe(turn(0, 1, BEN, 'm'));
    surprised.observe(turn(0, 1, BEN, 'unheard'));
    expect([surprised.get('m')?.isDiarized, surprised.get('unheard')?.isDiarized]).toEqual([true, true]);
  });
  it('takes audio that was never opened for mixed, and remembers when a stream closed.', () => {
    const streams = createStreams(false);
    for (const block of voice('x', 64, [])) streams.observe(block);
    streams.observe({ type: 'streamClosed', arrivalMs: 70, streamId: 'x', reason: 'track_ended' });
    expect([...streams.all()]).toEqual([{ streamId: 'x', kind: 'audio', isDiarized: false, closedAtMs: 70 }]);
  });
  it('remembers 512 streams.', () => {
    const streams = createStreams(false);
    for (let n = 0; n < 600; n++) streams.observe(opened(`s${n}`, 'audio'));
    expect([[...streams.all()].length, streams.get('s0'), streams.get('s599')?.kind]).toEqual([
      512,
      undefined,
      'audio',
    ]);
  });
  it('brings sources together by name.', () => {
    expect(isSameSpeaker(ADA, { id: 'x', name: ' ada', source: 'captions' })).toBe(true);
    expect(isSameSpeaker(ADA, BEN)).toBe(false);
  });
});

describe('respectPrivacy', () => {
  const all: Observation[] = [
    opened('a', 'audio', ADA),
    opened('v', 'video', ADA),
    opened('c', 'captions'),
    ...voice('a', 32, []),
    turn(0, 1, ADA),
    cue(0, 1, 'x'),
    { type: 'camera', arrivalMs: 1, streamId: 'v', isOn: true },
    { type: 'fault', arrivalMs: 1, code: 'DECODE_ERROR', message: '' },
    { type: 'streamClosed', arrivalMs: 1, streamId: 'c', reason: 'track_ended' },
  ];
  const typesIn = (mode: 'none' | 'no-face' | 'text-only'): string[] => {
    const types: string[] = [];
    from(all)
      .pipe(respectPrivacy(mode), toArray())
      .subscribe((seen) => types.push(...seen.map(({ type }) => type)));
    return types;
  };
  it('lets only text and faults pass in text-only, and all else otherwise.', () => {
    expect(typesIn('text-only')).toEqual(['streamOpened', 'transcript', 'fault', 'streamClosed']);
    expect([typesIn('none').length, typesIn('no-face').length]).toEqual([9, 9]);
  });
  it('lets no face pass in no-face, and no picture at all in text-only.', () => {
    const pictures: Observation[] = [
      opened('f', 'face', ADA),
      opened('b', 'body', ADA),
      ...frames('v', 'face', 0, 100),
      ...frames('v', 'body', 0, 100),
    ];
    const passed = (mode: 'no-face' | 'text-only'): string[] => {
      const seen: string[] = [];
      from(pictures)
        .pipe(respectPrivacy(mode))
        .subscribe((one) =>
          seen.push('kind' in one ? one.kind : `${one.type} ${'modality' in one ? one.modality : ''}`),
        );
      return seen;
    };
    expect(passed('no-face')).toEqual(['body', 'visual body']);
    expect(passed('text-only')).toEqual([]);
  });
  it('holds nothing back and leaves its source when it is left.', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<Observation>('v-c-#', { v: opened('v', 'video'), c: cue(0, 1, 'x') });
      expectObservable(source$.pipe(respectPrivacy('text-only'))).toBe('--c-#', { c: cue(0, 1, 'x') });
      expectObservable(source$.pipe(respectPrivacy('none')), '^--!').toBe('v-c', {
        v: opened('v', 'video'),
        c: cue(0, 1, 'x'),
      });
      expectSubscriptions(source$.subscriptions).toBe(['^---!', '^--!']);
    });
  });
});

describe('stage', () => {
  it('tells what it throws as an error, after what it told, and leaves the source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-b-c-|');
      const broken = new Error('broken');
      const fragile = stage<string, string>(() => ({
        next: (value) => {
          if (value === 'b') throw broken;
          return [value];
        },
      }));
      expectObservable(source$.pipe(fragile)).toBe('-a-#', undefined, broken);
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  it('reads no further from a source that never waits, once it is left', () => {
    let read = 0;
    const endless = (function* () {
      for (;;) yield ++read;
    })();
    const told: number[] = [];
    from(endless)
      .pipe(
        stage<number, number>(() => ({ next: (value) => [value, value] })),
        take(3),
      )
      .subscribe((value) => told.push(value));
    expect(told).toEqual([1, 1, 2]);
    expect(read).toBeLessThanOrEqual(3);
  });

  it('emits what it holds when the source completes', () => {
    marbles(({ cold, expectObservable }) => {
      const last = stage<string, string>(() => ({ next: () => [], complete: () => ['z'] }));
      expectObservable(cold('-a-|').pipe(last)).toBe('---(z|)');
    });
  });
});
