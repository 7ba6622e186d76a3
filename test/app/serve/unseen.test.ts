import { describe, expect, it } from 'vitest';
import { createUnseen, type Unseen } from '../../../src/app/serve/unseen.ts';

/** Pictures come 10 a second from `fromMs` until before `toMs`; returns what was declared. */
function come(unseen: Unseen, fromMs: number, toMs: number): number[] {
  const declared: number[] = [];
  for (let atMs = fromMs; atMs < toMs; atMs += 100) declared.push(...unseen.came(atMs));
  return declared;
}

describe('createUnseen', () => {
  it('declares nothing while pictures are looked at 2 a second and that is told within a second.', () => {
    const unseen = createUnseen();
    for (let atMs = 0; atMs < 20_000; atMs += 500) {
      expect(come(unseen, atMs + 500, atMs + 1_000)).toEqual([]);
      expect(unseen.seen(atMs)).toEqual([]);
    }
  });

  it('declares a time every 600 ms of a stretch of which nothing was seen, once, when it is 900 ms past.', () => {
    const unseen = createUnseen();
    expect(come(unseen, 0, 1_500)).toEqual([]);
    expect(unseen.came(1_500)).toEqual([600]);
    expect(come(unseen, 1_600, 3_900)).toEqual([1_200, 1_800, 2_400]);
    expect(unseen.seen(3_400)).toEqual([3_000]);
    expect(come(unseen, 3_900, 4_900)).toEqual([]);
  });

  it('declares nothing of a time in which no picture came.', () => {
    const unseen = createUnseen();
    expect(come(unseen, 0, 300)).toEqual([]);
    expect(unseen.came(60_000)).toEqual([]);
    expect(unseen.seen(60_000)).toEqual([]);
  });

  it('takes what was seen of a picture from before a pause as nothing new.', () => {
    const unseen = createUnseen();
    unseen.came(0);
    unseen.came(5_000);
    expect(unseen.seen(0)).toEqual([]);
    expect(come(unseen, 5_100, 6_600)).toEqual([5_600]);
  });
});
