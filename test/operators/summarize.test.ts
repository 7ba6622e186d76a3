import { from, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { SummaryInsight } from '../../src/domain/insight.ts';
import { perModality } from '../../src/domain/modality.ts';
import type { Classified } from '../../src/operators/classify.ts';
import { numberInsights } from '../../src/operators/numberInsights.ts';
import type { UtteranceDraft } from '../../src/operators/predictions.ts';
import type { InsightDraft } from '../../src/operators/signal.ts';
import { summarize } from '../../src/operators/summarize.ts';
import { ADA, BEN } from '../support/scriptedCall.ts';
import { marbles } from './operatorContract.ts';

function final(
  id: string,
  startMs: number,
  lengthMs: number,
  label: string,
  more: Partial<UtteranceDraft> = {},
): UtteranceDraft {
  return {
    type: 'utterance',
    atMs: startMs + lengthMs,
    utteranceId: id,
    status: 'final',
    revision: 1,
    speaker: ADA,
    startMs,
    endMs: startMs + lengthMs,
    text: null,
    label,
    confidence: 0.8,
    probabilities: { [label]: 0.8 },
    lookAhead: 2,
    modalityWeights: perModality(() => 0),
    availability: perModality(() => ({ share: 1 })),
    latencyMs: 0,
    computeMs: 0,
    ...more,
  };
}
const END: Classified = { type: 'sessionEnded', arrivalMs: 90_000 };
function summaryOf(...classified: readonly Classified[]): Omit<SummaryInsight, 'seq'> {
  const out: InsightDraft[] = [];
  from([...classified, END])
    .pipe(summarize(), toArray())
    .subscribe((all) => out.push(...all));
  const last = out.at(-1);
  if (last?.type !== 'summary') throw new Error('no summary');
  return last;
}

describe('summarize', () => {
  it('passes insights on, keeps the count of words to itself and ends with the summary.', () => {
    marbles(({ cold, expectObservable }) => {
      const u: Classified = final('u1', 0, 1_000, 'joy');
      const w: Classified = { type: 'wordsDropped', arrivalMs: 5, count: 3 };
      const s = { ...summaryOf(u), droppedWords: 3 };
      expectObservable(cold<Classified>('u-w-(e|)', { u, w, e: END }).pipe(summarize())).toBe('u---(s|)', { u, s });
      expectObservable(cold<Classified>('u-#', { u }).pipe(summarize())).toBe('u-#', { u });
      expectObservable(cold<Classified>('---').pipe(summarize())).toBe('---');
    });
  });

  it('says that nobody spoke when nobody did.', () => {
    expect(summaryOf()).toEqual({
      type: 'summary',
      atMs: 90_000,
      durationMs: 90_000,
      utterances: 0,
      speakers: [],
      droppedWords: 0,
      faults: 0,
    });
  });

  it('adds up talk time and shares of each speaker, in the order in which they came.', () => {
    const { speakers, utterances } = summaryOf(
      final('u1', 5_000, 3_000, 'joy', { speaker: BEN }),
      final('u2', 0, 1_000, 'anger'),
      final('u3', 9_000, 1_000, 'neutral', {
        speaker: BEN,
        availability: { ...perModality(() => ({ share: 1 })), text: { share: 0 } },
      }),
    );
    expect(utterances).toBe(3);
    expect(speakers.map(({ speaker, talkMs }) => [speaker.name, talkMs])).toEqual([
      ['Ben', 4_000],
      ['Ada', 1_000],
    ]);
    expect(speakers[0]?.emotionShares).toEqual({ joy: 0.75, neutral: 0.25 });
    expect(speakers[0]?.availability).toEqual({ text: 0.75, audio: 1, face: 1, body: 1 });
    expect(speakers[0]?.trajectory.map(({ startMs, label }) => [startMs, label])).toEqual([
      [5_000, 'joy'],
      [9_000, 'neutral'],
    ]);
  });

  it('counts only final answers, and an utterance told twice as it was told last.', () => {
    const { speakers } = summaryOf(
      final('u1', 0, 1_000, 'joy', { status: 'provisional' }),
      final('u1', 0, 1_000, 'joy'),
      final('u2', 2_000, 1_000, 'anger'),
      final('u1', 0, 1_000, 'joy', { speaker: BEN, text: 'late' }),
    );
    expect(speakers.map(({ speaker, talkMs, emotionShares }) => [speaker.name, talkMs, emotionShares])).toEqual([
      ['Ada', 1_000, { anger: 1 }],
      ['Ben', 1_000, { joy: 1 }],
    ]);
    expect(
      summaryOf(final('u1', 0, 1_000, 'joy'), final('u1', 0, 1_000, 'joy', { speaker: BEN })).speakers,
    ).toHaveLength(1);
  });

  it('puts the trajectory in order of time and keeps its last 2,000.', () => {
    const many = Array.from({ length: 2_500 }, (_, n) => final(`u${n}`, n * 1_000, 500, 'joy'));
    const [ada] = summaryOf(final('late', 99, 1, 'anger'), ...many).speakers;
    expect(ada?.trajectory).toHaveLength(2_000);
    expect(ada?.trajectory[0]?.startMs).toBe(500_000);
    expect(ada?.utterances).toBe(2_501);
    const order = summaryOf(final('u2', 9_000, 10, 'joy'), final('u1', 1_000, 10, 'joy')).speakers[0]?.trajectory;
    expect(order?.map(({ startMs }) => startMs)).toEqual([1_000, 9_000]);
  });

  it('counts faults, and puts more speakers than it can hold together as unknown.', () => {
    const fault: Classified = { type: 'fault', atMs: 1, code: 'DECODE_ERROR', message: '' };
    expect(summaryOf(fault, fault).faults).toBe(2);
    const crowd = Array.from({ length: 600 }, (_, n) =>
      final(`u${n}`, n, 10, 'joy', { speaker: { ...ADA, id: `s${n}` } }),
    );
    const { speakers, utterances } = summaryOf(...crowd);
    expect([speakers.length, utterances, speakers.at(-1)?.speaker.id]).toEqual([513, 600, 'unknown']);
  });
});

describe('numberInsights', () => {
  const session = {
    type: 'session',
    atMs: 0,
    labels: [],
    privacy: 'none',
    weights: 'w',
    backend: 'b',
    lookAhead: 2,
  } as const;
  it('begins with the session at once and counts from 1, for each subscriber anew.', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const u = final('u1', 0, 1_000, 'joy');
      const source$ = cold<InsightDraft>('-u-u-|', { u });
      const values = { s: { ...session, seq: 1 }, a: { ...u, seq: 2 }, b: { ...u, seq: 3 } };
      const out$ = source$.pipe(numberInsights(session));
      expectObservable(out$).toBe('sa-b-|', values);
      expectObservable(out$, '^-!').toBe('sa', values);
      expectSubscriptions(source$.subscriptions).toBe(['^----!', '^-!']);
      expectObservable(cold<InsightDraft>('-#').pipe(numberInsights(session))).toBe('s#', values);
    });
  });
});

describe('summarize of speakers who get a name', () => {
  const s1 = { id: 'S1', name: 'S1', source: 'diarizer' } as const;
  const named = (speakerId: string, speaker: typeof ADA): Classified => ({
    type: 'speaker',
    atMs: 5_000,
    speakerId,
    speaker,
  });

  it('counts them as one, before and after, in order of time.', () => {
    const { speakers, utterances } = summaryOf(
      final('u1', 0, 1_000, 'joy', { speaker: s1 }),
      final('u2', 2_000, 1_000, 'anger'),
      named('S1', ADA),
      final('u3', 4_000, 2_000, 'joy'),
      final('u4', 7_000, 1_000, 'joy', { speaker: s1 }),
    );
    expect(utterances).toBe(4);
    expect(speakers).toHaveLength(1);
    expect(speakers[0]).toMatchObject({
      speaker: ADA,
      talkMs: 5_000,
      utterances: 4,
      emotionShares: { joy: 0.8, anger: 0.2 },
    });
    expect(speakers[0]?.trajectory.map(({ startMs }) => startMs)).toEqual([0, 2_000, 4_000, 7_000]);
  });

  it('takes an utterance back from whom it was counted for, though they have another name now.', () => {
    const { speakers } = summaryOf(
      final('u1', 0, 1_000, 'joy', { speaker: s1 }),
      named('S1', ADA),
      final('u1', 0, 1_000, 'joy', { speaker: BEN, revision: 2, status: 'revised' }),
    );
    expect(speakers.map(({ speaker, utterances }) => [speaker.id, utterances])).toEqual([[BEN.id, 1]]);
  });

  it('follows a name that is changed once more.', () => {
    const { speakers } = summaryOf(
      final('u1', 0, 1_000, 'joy', { speaker: s1 }),
      named('S1', ADA),
      named(ADA.id, BEN),
      final('u2', 2_000, 1_000, 'joy', { speaker: s1 }),
    );
    expect(speakers.map(({ speaker, utterances }) => [speaker.id, utterances])).toEqual([[BEN.id, 2]]);
  });
});
