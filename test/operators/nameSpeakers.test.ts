import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Speaker } from '../../src/domain/speaker.ts';
import type { Classified } from '../../src/operators/classify.ts';
import { nameSpeakers } from '../../src/operators/nameSpeakers.ts';
import { ADA, BEN } from '../support/scriptedCall.ts';
import { marbles } from './operatorContract.ts';

const S1: Speaker = { id: 'S1', name: 'S1', source: 'diarizer' };
const named = (speakerId: string, speaker: Speaker): Classified => ({ type: 'speaker', atMs: 0, speakerId, speaker });
const interim = (speaker?: Speaker): Classified => ({
  type: 'interim',
  atMs: 0,
  streamId: 'asr',
  startMs: 0,
  endMs: 100,
  text: 'so',
  ...(speaker && { speaker }),
});
const absent = (speaker: Speaker): Classified => ({
  type: 'modality',
  atMs: 0,
  modality: 'text',
  speaker,
  state: 'absent',
});
const namesOf = async (...given: readonly Classified[]): Promise<(string | undefined)[]> => {
  const all = await lastValueFrom(from(given).pipe(nameSpeakers(), toArray()));
  return all.map((said) => ('speaker' in said ? said.speaker?.name : undefined));
};

describe('nameSpeakers', () => {
  it('calls a speaker by the name that became known, from then on.', async () => {
    expect(await namesOf(interim(S1), named('S1', ADA), interim(S1), absent(S1), interim(BEN))).toEqual([
      S1.name,
      ADA.name,
      ADA.name,
      ADA.name,
      BEN.name,
    ]);
  });

  it('follows a name that changes once more, also for who had it before.', async () => {
    expect(await namesOf(named('S1', ADA), named(ADA.id, BEN), interim(S1), interim(ADA))).toEqual([
      ADA.name,
      BEN.name,
      BEN.name,
      BEN.name,
    ]);
  });

  it('leaves alone what has no speaker.', async () => {
    expect(await namesOf(named('S1', ADA), interim(), { type: 'wordsDropped', arrivalMs: 0, count: 1 })).toEqual([
      ADA.name,
      undefined,
      undefined,
    ]);
  });

  it('passes an error at once, forgets with each subscription, and reaches the source on unsubscribing.', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const values = { n: named('S1', ADA), i: interim(S1), a: interim(ADA) };
      const source$ = cold<Classified>('-n-i-#', values);
      expectObservable(source$.pipe(nameSpeakers()), '^---!').toBe('-n-a', values);
      expectObservable(cold<Classified>('i-#', values).pipe(nameSpeakers())).toBe('i-#', values);
      expectSubscriptions(source$.subscriptions).toBe('^---!');
    });
  });
});
