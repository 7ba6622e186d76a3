import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Modality } from '../../src/domain/modality.ts';
import type { Speaker } from '../../src/domain/speaker.ts';
import { alignTranscripts, DEFAULT_ALIGNMENT } from '../../src/operators/alignTranscripts.ts';
import type { Endpointed, Signal, SpeechOpened, UtteranceFound } from '../../src/operators/signal.ts';
import { toWords } from '../../src/operators/words.ts';
import { ADA, BEN, cue, opened } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

const create = (settings = {}) => alignTranscripts({ ...DEFAULT_ALIGNMENT, ...settings }, false);
describeOperator('alignTranscripts', () => create());

const A = opened('a', 'audio', ADA);
const B = opened('b', 'audio', BEN);
const heard = (untilMs: number, streamId = 'a'): Endpointed => ({
  type: 'endpointed',
  arrivalMs: untilMs,
  streamId,
  untilMs,
});
const open = (startMs: number, stretchId = 's1', streamId = 'a'): SpeechOpened => ({
  type: 'speechOpened',
  arrivalMs: startMs,
  streamId,
  stretchId,
  startMs,
});
function found(
  id: string,
  startMs: number,
  endMs: number,
  more: Partial<UtteranceFound> & { speaker?: Speaker } = {},
): UtteranceFound {
  const { speaker = ADA, ...rest } = more;
  const utterance = { id, speaker, startMs, endMs };
  return {
    type: 'utteranceFound',
    arrivalMs: endMs + 500,
    utterance,
    streamId: 'a',
    isAttributed: false,
    overlaps: [],
    ...rest,
  };
}
/** `u1 new one two`, `u1 again …`, `dropped 2`. */
function story(signals: readonly Signal[], settings = {}): string[] {
  return outputOf(create(settings), signals).flatMap((signal) => {
    if (signal.type === 'wordsDropped') return [`dropped ${signal.count}`];
    if (signal.type !== 'utteranceAligned') return [];
    return [`${signal.record.utterance.id} ${signal.isNew ? 'new' : 'again'} ${signal.record.text}`];
  });
}

describe('toWords', () => {
  it('spreads the time of a cue over its characters.', () => {
    const words = toWords(cue(0, 1_100, 'one three x'));
    expect(words.map(({ text, midMs }) => [text, midMs])).toEqual([
      ['one', 150],
      ['three', 650],
      ['x', 1_050],
    ]);
  });
  it('finds all words of any text, in order, within the cue.', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.integer({ min: 1, max: 9_999 }), (text, lengthMs) => {
        const words = toWords(cue(100, 100 + lengthMs, text));
        expect(words.map((word) => word.text)).toEqual(text.split(/\s+/u).filter((part) => part !== ''));
        for (const [index, { midMs }] of words.entries()) {
          expect(midMs).toBeGreaterThan(words[index - 1]?.midMs ?? 100);
          expect(midMs).toBeLessThan(100 + lengthMs);
        }
      }),
    );
  });
});

describe('alignTranscripts', () => {
  it('gives an utterance the words that came before it closed, when it closes.', () => {
    const signals = [
      A,
      open(0),
      heard(900),
      cue(0, 1_000, 'hello there', ADA),
      heard(1_500),
      found('u1', 0, 1_000, { stretchId: 's1' }),
    ];
    expect(story(signals)).toEqual(['u1 new hello there']);
  });

  it('passes the cue on and the utterance again when words come late.', () => {
    marbles(({ cold, expectObservable }) => {
      const u: Signal = found('u1', 0, 1_000);
      const c: Signal = cue(0, 1_000, 'hi', ADA, 2_000);
      const record = { utterance: { id: 'u1', speaker: ADA, startMs: 0, endMs: 1_000 }, streamId: 'a', overlaps: [] };
      const n: Signal = { type: 'utteranceAligned', arrivalMs: 1_500, isNew: true, record: { ...record, text: null } };
      const r: Signal = { type: 'utteranceAligned', arrivalMs: 2_000, isNew: false, record: { ...record, text: 'hi' } };
      expectObservable(cold<Signal>('u---c---|', { u, c }).pipe(create())).toBe('n---(cr)|', { n, c, r });
    });
  });

  it('shares a cue between the utterances it spans.', () => {
    const signals = [
      A,
      found('u1', 0, 1_000),
      found('u2', 1_600, 3_000),
      heard(4_000),
      cue(0, 3_000, 'aaaa bbbb cccc dddd', ADA, 4_000),
    ];
    expect(story(signals)).toEqual(['u1 new null', 'u2 new null', 'u1 again aaaa bbbb', 'u2 again cccc dddd']);
  });

  it('gives a word outside all utterances to the nearest within 500 ms, and drops others.', () => {
    const near = [A, found('u1', 0, 1_000), cue(1_200, 1_400, 'near', ADA), heard(1_500), heard(1_700)];
    expect(story(near)).toEqual(['u1 new null', 'u1 again near']);
    const far = [A, found('u1', 0, 1_000), cue(1_500, 1_800, 'far', ADA), heard(2_100), heard(2_200)];
    expect(story(far)).toEqual(['u1 new null', 'dropped 1']);
  });

  it('waits for an utterance that may still open nearer, and for one that is open.', () => {
    const signals = [A, found('u1', 0, 1_000), cue(1_300, 1_500, 'word', ADA), heard(1_500), open(1_500), heard(3_000)];
    expect(story(signals.slice(0, -1))).toEqual(['u1 new null', 'u1 again word']);
    const closing = [...signals, found('u2', 1_500, 2_500, { stretchId: 's1' })];
    expect(story(closing)).toEqual(['u1 new null', 'u2 new word']);
  });

  it('settles words near what was dropped as too short.', () => {
    const dropped: Signal = { type: 'speechDropped', arrivalMs: 1_800, streamId: 'a', stretchId: 's1' };
    expect(story([A, open(900), cue(800, 1_000, 'word', ADA), heard(1_700), dropped])).toEqual(['dropped 1']);
  });

  it('keeps the words of each of two speakers who talk at once.', () => {
    const ben = { speaker: BEN, streamId: 'b' };
    const signals = [
      A,
      B,
      found('u1', 0, 2_000),
      found('u2', 0, 2_000, ben),
      cue(0, 2_000, 'mine', ADA),
      cue(0, 2_000, 'yours', BEN),
    ];
    expect(story(signals)).toEqual(['u1 new null', 'u2 new null', 'u1 again mine', 'u2 again yours']);
  });

  it('never gives words to another speaker who has a track.', () => {
    expect(story([A, B, found('u1', 0, 1_000), cue(0, 1_000, 'yours', BEN), heard(5_000, 'b')])).toEqual([
      'u1 new null',
      'dropped 1',
    ]);
  });

  it('gives a cue without a speaker to whoever shares most of it.', () => {
    const signals = [
      A,
      B,
      found('u1', 0, 1_200),
      found('u2', 900, 3_000, { speaker: BEN, streamId: 'b' }),
      cue(900, 1_300, 'x'),
    ];
    expect(story(signals)).toEqual(['u1 new null', 'u2 new null', 'u2 again x']);
  });

  it('tells once when a cue changes both speaker and text.', () => {
    const mixed = found('u1', 0, 1_000, { streamId: 'mixed', isAttributed: true });
    const changed: Signal = { type: 'utteranceChanged', arrivalMs: 2_000, utteranceId: 'u1', speaker: BEN };
    const out = outputOf(create(), [opened('mixed', 'audio'), mixed, changed, cue(0, 1_000, 'hi', BEN, 2_000)]);
    const aligned = out.filter((signal) => signal.type === 'utteranceAligned');
    expect(aligned.map(({ record }) => [record.utterance.speaker.name, record.text])).toEqual([
      ['Ada', null],
      ['Ben', 'hi'],
    ]);
  });

  it('takes a cue that is an utterance as it is, and gives it no other words.', () => {
    const read = found('u1', 0, 1_000, { streamId: null, text: 'as it is' });
    expect(story([A, read, cue(0, 1_000, 'other', ADA), heard(5_000)])).toEqual(['u1 new as it is', 'dropped 1']);
  });

  it('waits no longer than it should for a stream that says nothing.', () => {
    const tick = (arrivalMs: number): Signal => ({ type: 'camera', arrivalMs, streamId: 'v', isOn: true });
    expect(story([A, cue(0, 1_000, 'word', ADA), tick(30_999)], { maxWaitMs: 30_000 })).toEqual(['dropped 1']);
    const out = outputOf(create(), [A, cue(0, 1_000, 'word', ADA), tick(30_999), tick(31_000)]);
    expect(out.at(-1)).toEqual({ type: 'wordsDropped', arrivalMs: 31_000, count: 1 });
  });

  it('holds a bounded number of words and counts those it gives up.', () => {
    const many = Array.from({ length: 50 }, (_, n) => `w${n}`).join(' ');
    const signals = [A, open(0), cue(0, 1_000, many, ADA), found('u1', 0, 1_000, { stretchId: 's1' })];
    const [dropped, last] = story(signals, { maxWords: 20 });
    expect(dropped).toBe('dropped 30');
    expect(last).toBe(`u1 new ${many.split(' ').slice(30).join(' ')}`);
  });

  it('settles what waits when a stream closes and when the session ends, but not when it fails.', () => {
    const waiting = [A, open(0), cue(0, 1_000, 'word', ADA)];
    expect(story([...waiting, found('u1', 900, 2_000)])).toEqual(['u1 new null', 'u1 again word']);
    expect(story([A, cue(0, 1_000, 'word', ADA), { ...heard(1_000), untilMs: Infinity }, heard(1_100)])).toEqual([
      'dropped 1',
    ]);
    marbles(({ cold, expectObservable }) => {
      const [a, o, c] = waiting as [Signal, Signal, Signal];
      expectObservable(cold<Signal>('aoc#', { a, o, c }).pipe(create())).toBe('a-c#', { a, c });
    });
  });

  it('keeps every word once, in order, or counts it as dropped, whenever cues and utterances come.', () => {
    const utterance = fc.record({
      gapMs: fc.integer({ min: 500, max: 3_000 }),
      lengthMs: fc.integer({ min: 100, max: 5_000 }),
    });
    const caption = fc.record({
      startMs: fc.integer({ min: 0, max: 40_000 }),
      lengthMs: fc.integer({ min: 1, max: 6_000 }),
      lateMs: fc.integer({ min: 0, max: 20_000 }),
      words: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(utterance, { maxLength: 12 }), fc.array(caption, { maxLength: 12 }), (spans, captions) => {
        const { signals, expected } = scenario(spans, captions);
        const out = outputOf(create(), signals);
        const texts = new Map<string, string[]>();
        let dropped = 0;
        for (const signal of out) {
          if (signal.type === 'wordsDropped') dropped += signal.count;
          if (signal.type === 'utteranceAligned')
            texts.set(signal.record.utterance.id, signal.record.text?.split(' ') ?? []);
        }
        const kept = [...texts.values()].flat();
        expect(new Set(kept).size).toBe(kept.length);
        expect(kept.length + dropped).toBe(expected.size);
        for (const words of texts.values()) {
          const times = words.map((word) => expected.get(word) ?? NaN);
          expect(times).toEqual([...times].sort((x, y) => x - y));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses settings that are not positive.', () => {
    expect(() => create({ toleranceMs: 0 })).toThrow(
      new RangeError('toleranceMs must be a finite number greater than 0, got 0'),
    );
  });
});

type Caption = { startMs: number; lengthMs: number; lateMs: number; words: number };

/** Utterances one after the other on one stream, and cues of unlike words; `expected` has the time of each word. */
function scenario(spans: readonly { gapMs: number; lengthMs: number }[], captions: readonly Caption[]) {
  const signals: Signal[] = [];
  let atMs = 0;
  for (const [index, { gapMs, lengthMs }] of spans.entries()) {
    const startMs = atMs + gapMs;
    atMs = startMs + lengthMs;
    const stretchId = `s${index}`;
    signals.push(heard(startMs), open(startMs, stretchId), { ...heard(atMs + 500), arrivalMs: atMs + 500 });
    signals.push(found(`u${index + 1}`, startMs, atMs, { stretchId }));
  }
  const expected = new Map<string, number>();
  for (const [n, { startMs, lengthMs, lateMs, words }] of captions.entries()) {
    const text = Array.from({ length: words }, (_, w) => `c${n}w${w}`).join(' ');
    const transcript = cue(startMs, startMs + lengthMs, text, ADA, startMs + lengthMs + lateMs);
    for (const word of toWords(transcript)) expected.set(word.text, word.midMs);
    signals.push(transcript);
  }
  return { signals: [A, ...signals.sort((x, y) => x.arrivalMs - y.arrivalMs)], expected };
}

describe('alignTranscripts, of consent,', () => {
  const consent = (arrivalMs: number, modalities: readonly Modality[], speaker = ADA): Signal => ({
    type: 'consent',
    arrivalMs,
    speaker,
    modalities,
    reason: 'consent',
  });
  const withheld = [A, open(0), heard(900), cue(0, 1_000, 'hello there', ADA)];

  it('erases the words that wait and those that were given, and gives no others to that speaker.', () => {
    expect(story([...withheld, consent(950, ['audio']), heard(1_500), found('u1', 0, 1_000)])).toEqual(['u1 new null']);
    const unnamed = cue(3_000, 4_000, 'whose', undefined, 4_000);
    const later = [A, found('u1', 0, 1_000), cue(0, 1_000, 'hi', ADA, 2_000), consent(2_100, [])];
    expect(story([...later, consent(2_200, ['audio']), found('u2', 3_000, 4_000), unnamed])).toEqual([
      'u1 new null',
      'u1 again hi',
      'u2 new null',
      'u2 again null',
    ]);
    const changed: Signal = { type: 'utteranceChanged', arrivalMs: 2_300, utteranceId: 'u1', overlaps: [] };
    expect(story([...later, changed, found('u2', 3_000, 4_000)])).toContain('u1 again null');
  });

  it('leaves the words of others, and gives words again when they are allowed again.', () => {
    const ben = { ...consent(950, [], BEN) };
    expect(story([...withheld, ben, found('u1', 0, 1_000)])).toEqual(['u1 new hello there']);
    const back = [consent(1, []), consent(2, ['text']), ...withheld, found('u1', 0, 1_000)];
    expect(story(back)).toEqual(['u1 new hello there']);
  });
});
