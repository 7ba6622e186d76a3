import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SpeakerTurn } from '../../src/domain/observation.ts';
import type { Speaker } from '../../src/domain/speaker.ts';
import { DEFAULT_ENDPOINTING } from '../../src/operators/endpointer.ts';
import { followTurns } from '../../src/operators/followTurns.ts';
import type { Signal, SpeechClosed } from '../../src/operators/signal.ts';
import { overlapMs } from '../../src/operators/spans.ts';
import { ADA, BEN, inOrder, opened, turn, voice } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

const create = () => followTurns(DEFAULT_ENDPOINTING, true);
describeOperator('followTurns', create);

const closedOf = (signals: readonly Signal[]): SpeechClosed[] =>
  outputOf(create(), signals).filter((signal) => signal.type === 'speechClosed');
const story = (signals: readonly Signal[]): string[] =>
  closedOf(signals).map(({ speaker, startMs, endMs }) => `${speaker?.name} ${startMs} ${endMs}`);
/** A minute of silence, so that the clock goes on. */
const clock = [...voice('mixed', 60_000, [])];

describe('followTurns', () => {
  it('closes a turn when the clock is the gap past its end.', () => {
    marbles(({ cold, expectObservable }) => {
      const a: Signal = turn(0, 1_000, ADA);
      const b: Signal = { type: 'camera', arrivalMs: 1_499, streamId: 'v', isOn: true };
      const c: Signal = { ...b, arrivalMs: 1_500 };
      const o: Signal = { type: 'speechOpened', arrivalMs: 1_000, streamId: 'mixed', stretchId: 't1', startMs: 0 };
      const e: Signal = {
        type: 'speechClosed',
        arrivalMs: 1_500,
        streamId: 'mixed',
        startMs: 0,
        endMs: 1_000,
        speaker: ADA,
        stretchId: 't1',
      };
      expectObservable(cold<Signal>('a---b---c---|', { a, b, c }).pipe(create())).toBe('(ao)b---(ec)|', {
        a,
        b,
        c,
        o,
        e,
      });
    });
  });

  it('joins turns of one speaker that are less than the gap apart, and no others.', () => {
    const near = inOrder([opened('mixed', 'audio'), turn(0, 1_000, ADA), turn(1_200, 1_480, ADA)], clock);
    expect(story(near)).toEqual(['Ada 0 1480']);
    const far = inOrder([opened('mixed', 'audio'), turn(0, 1_000, ADA), turn(1_500, 1_900, ADA)], clock);
    expect(story(far)).toEqual(['Ada 0 1000', 'Ada 1500 1900']);
  });

  it('keeps both of two speakers who talk at once.', () => {
    const both = inOrder([opened('mixed', 'audio'), turn(0, 3_000, ADA), turn(1_000, 2_000, BEN)], clock);
    expect(story(both)).toEqual(['Ben 1000 2000', 'Ada 0 3000']);
  });

  it('drops a turn shorter than 100 ms and one that ends before it starts.', () => {
    expect(story(inOrder([turn(0, 99, ADA), turn(2_000, 1_000, BEN), turn(3_000, 3_100, ADA)], clock))).toEqual([
      'Ada 3000 3100',
    ]);
  });

  it('cuts a long turn in the pauses that voice activity found.', () => {
    const speech = voice('mixed', 40_000, [
      [0, 10_000],
      [10_100, 21_000],
      [21_100, 30_000],
    ]);
    const pieces = closedOf(inOrder([opened('mixed', 'audio'), turn(0, 30_000, ADA)], speech));
    expect(pieces.length).toBe(3);
    expect(pieces.map((piece) => piece.stretchId)).toEqual([undefined, undefined, 't1']);
    expect(Math.abs((pieces[0]?.endMs ?? 0) - 10_050)).toBeLessThan(100);
    expect(Math.abs((pieces[1]?.endMs ?? 0) - 21_050)).toBeLessThan(100);
    expect(pieces.every(({ startMs, endMs }) => endMs - startMs <= 12_000)).toBe(true);
  });

  it('cuts a long turn at the maximum when nothing is known of its pauses.', () => {
    expect(story([turn(0, 25_000, ADA)])).toEqual(['Ada 0 12000', 'Ada 12000 24000', 'Ada 24000 25000']);
  });

  it('ignores turns of a stream that has one speaker.', () => {
    expect(story([opened('mixed', 'audio', ADA), turn(0, 1_000, BEN)])).toEqual([]);
  });

  it('closes what is open when the stream closes, and a turn that comes after that too.', () => {
    const gone: Signal = { type: 'streamClosed', arrivalMs: 1_000, streamId: 'mixed', reason: 'track_ended' };
    const out = outputOf(create(), [opened('mixed', 'audio'), turn(0, 1_000, ADA), gone, turn(200, 900, BEN)]);
    expect(out.map((signal) => signal.type)).toEqual([
      'streamOpened',
      'speakerTurn',
      'speechOpened',
      'speechClosed',
      'streamClosed',
      'speakerTurn',
      'speechOpened',
      'speechClosed',
    ]);
  });

  it('never holds more than 64 turns of a stream open.', () => {
    const crowd = Array.from({ length: 100 }, (_, n) => turn(0, 1_000, { id: `s${n}`, name: `S${n}`, source: 'rttm' }));
    const beforeEnd = outputOf(create(), crowd).slice(0, -64);
    expect(beforeEnd.filter((signal) => signal.type === 'speechClosed')).toHaveLength(36);
    expect(closedOf(crowd)).toHaveLength(100);
  });

  it('covers every turn of 0.5 s and more by speech of the right speaker, whatever the turns.', () => {
    const one = fc.record({
      startMs: fc.integer({ min: 0, max: 90_000 }),
      lengthMs: fc.integer({ min: 1, max: 30_000 }),
      who: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (some) => {
        const turns = some.map(({ startMs, lengthMs, who }) =>
          turn(startMs, startMs + lengthMs, { id: `s${who}`, name: `S${who}`, source: 'rttm' }),
        );
        const { covered, share } = coverage(turns);
        expect(covered).toBe(1);
        expect(share).toBeGreaterThan(0.99);
      }),
      { numRuns: 100 },
    );
  });

  const shared = process.env['UNDERTONE_SHARED'];
  const reference = shared === undefined ? it.skip : it;
  reference(
    shared === undefined
      ? 'skipped: the reference turns need UNDERTONE_SHARED.'
      : 'covers at least 90 % of the reference turns of real meetings.',
    () => {
      for (const file of ['pyannote-sample.rttm', 'ami.rttm']) {
        for (const turns of turnsOf(readFileSync(join(shared ?? '', 'audio', file), 'utf8')).values()) {
          const { covered, share } = coverage(turns);
          expect(covered).toBeGreaterThanOrEqual(0.9);
          expect(share).toBeGreaterThanOrEqual(0.9);
        }
      }
    },
  );
});

/** Of the turns of at least 0.5 s: the share covered by half, and the mean share of their time that is covered. */
function coverage(turns: readonly SpeakerTurn[]): { covered: number; share: number } {
  const speech = closedOf(inOrder([opened('mixed', 'audio')], turns));
  const long = turns.filter(({ startMs, endMs }) => endMs - startMs >= 500);
  const shares = long.map((reference) => {
    const own = speech.filter(({ speaker }) => speaker?.id === reference.speaker.id);
    const ms = own.reduce((sum, span) => sum + overlapMs(span, reference), 0);
    return Math.min(1, ms / (reference.endMs - reference.startMs));
  });
  const count = Math.max(1, shares.length);
  const whole = shares.length === 0 ? 1 : 0;
  return {
    covered: whole + shares.filter((share) => share >= 0.5).length / count,
    share: Math.round((whole + shares.reduce((sum, share) => sum + share, 0) / count) * 1e6) / 1e6,
  };
}

function turnsOf(rttm: string): Map<string, SpeakerTurn[]> {
  const turns = new Map<string, SpeakerTurn[]>();
  for (const line of rttm.split('\n')) {
    const [, file = '', , start, length, , , name = ''] = line.split(/\s+/u);
    const speaker: Speaker = { id: name, name, source: 'rttm' };
    const startMs = Number(start) * 1000;
    if (name !== '')
      turns.set(file, [...(turns.get(file) ?? []), turn(startMs, startMs + Number(length) * 1000, speaker)]);
  }
  return turns;
}
