import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDeepgram,
  flushPending,
  INITIAL_STATE,
  MAX_PENDING_WORDS,
  nextConnection,
} from '../../../../adapters/asr/deepgram/decodeDeepgram.ts';
import type { Decoded, DecodeState } from '../../../../adapters/asr/deepgram/decodeDeepgram.ts';
import { MAX_WORDS } from '../../../../adapters/asr/deepgram/messages.ts';
import { MAX_RECENT_WORDS, MAX_SPEAKERS } from '../../../../adapters/asr/deepgram/speakerLabels.ts';

type Spoken = readonly [word: string, start: number, end: number, speaker?: number | undefined];

/** A Results message over the given words; it ends with the last word unless told otherwise. */
function results(words: readonly Spoken[], flags: object = {}): object {
  const start = words[0]?.[1] ?? 0;
  const told = words.map(([word, from, to, speaker]) => ({ word, start: from, end: to, confidence: 0.8, speaker }));
  const transcript = words.map(([word]) => word).join(' ');
  const duration = (words.at(-1)?.[2] ?? start) - start;
  return {
    type: 'Results',
    start,
    duration,
    channel: { alternatives: [{ transcript, confidence: 0.8, words: told }] },
    ...flags,
  };
}
const FINAL = { is_final: true };
const SPEECH_FINAL = { is_final: true, speech_final: true };
const END = { type: 'UtteranceEnd', channel: [0, 1], last_word_end: 1 };

/** Decodes messages in order; what each came to, without confidence and words. */
function decodeAll(
  messages: readonly unknown[],
  from: DecodeState = INITIAL_STATE,
): { state: DecodeState; said: string[] } {
  let state = from;
  const said: string[] = [];
  for (const message of messages) {
    const [next, events] = decodeDeepgram(state, message);
    state = next;
    said.push(...events.map(toLine));
  }
  return { state, said };
}
function toLine(event: Decoded): string {
  if (event.type === 'metadata') return 'metadata';
  if (event.type === 'malformed') return `malformed: ${event.rule}`;
  const who = event.speakerLabel === undefined ? '' : ` ${event.speakerLabel}`;
  return `${event.type}${who} ${event.startMs}-${event.endMs} ${event.text}`;
}

describe('decodeDeepgram', () => {
  it('gathers final words until speech_final', () => {
    const { said } = decodeAll([
      results([['so', 0.1, 0.3]]),
      results(
        [
          ['so', 0.1, 0.3],
          ['far', 0.3, 0.6],
        ],
        FINAL,
      ),
      results([['so', 0.7, 0.9]]),
      results(
        [
          ['so', 0.7, 0.9],
          ['good', 0.9, 1.2],
        ],
        SPEECH_FINAL,
      ),
    ]);
    expect(said).toEqual(['interim 100-300 so', 'interim 100-900 so far so', 'final 100-1200 so far so good']);
  });

  it('ends an utterance with UtteranceEnd when speech_final did not come, also when last_word_end is -1', () => {
    expect(decodeAll([results([['well', 0, 0.5]], FINAL), END]).said).toEqual(['final 0-500 well']);
    expect(decodeAll([results([['well', 0, 0.5]], FINAL), { ...END, last_word_end: -1 }]).said).toEqual([
      'final 0-500 well',
    ]);
  });

  it('ignores an UtteranceEnd that repeats speech_final or comes twice', () => {
    expect(decodeAll([results([['well', 0, 0.5]], SPEECH_FINAL), END, END]).said).toEqual(['final 0-500 well']);
  });

  it('ends an utterance with the answer to Finalize, also when it is empty', () => {
    const answer = {
      type: 'Results',
      start: 0.5,
      duration: 0,
      is_final: true,
      from_finalize: true,
      channel: { alternatives: [{ transcript: '', words: [] }] },
    };
    expect(decodeAll([results([['well', 0, 0.5]], FINAL), answer]).said).toEqual(['final 0-500 well']);
  });

  it('drops words that come twice, and interims of words that are final', () => {
    const message = results([['well', 0, 0.5]], SPEECH_FINAL);
    expect(decodeAll([message, message, results([['well', 0, 0.5]])]).said).toEqual(['final 0-500 well']);
  });

  it('splits an utterance by speaker, in order, without overlap', () => {
    const words: Spoken[] = [
      ['yes', 0, 0.6, 3],
      ['no', 0.4, 0.8, 5],
      ['yes', 0.8, 1, 3],
    ];
    expect(decodeAll([results(words, SPEECH_FINAL)]).said).toEqual([
      'final S1 0-600 yes',
      'final S2 600-800 no',
      'final S1 800-1000 yes',
    ]);
  });

  it('prefers punctuated words, keeps confidence and language, and tidies blanks', () => {
    const words = [{ word: 'oui', punctuated_word: ' Oui ,\n', start: 0, end: 0.4, confidence: 1.5 }];
    const channel = { alternatives: [{ transcript: 'Oui ,', languages: ['fr'], words }] };
    const [, events] = decodeDeepgram(INITIAL_STATE, {
      type: 'Results',
      start: 0,
      duration: 1,
      ...SPEECH_FINAL,
      channel,
    });
    expect(events).toEqual([
      {
        type: 'final',
        startMs: 0,
        endMs: 400,
        text: 'Oui ,',
        words: [{ text: 'Oui ,', startMs: 0, endMs: 400, confidence: 1 }],
        confidence: 1,
        language: 'fr',
      },
    ]);
  });

  it('takes a transcript without words as one word, and blank ones as nothing', () => {
    const channel = { alternatives: [{ transcript: 'no words' }] };
    const message = { type: 'Results', start: 1, duration: 1, ...SPEECH_FINAL, channel };
    expect(decodeAll([message]).said).toEqual(['final 1000-2000 no words']);
    expect(decodeAll([{ ...message, channel: { alternatives: [{ transcript: ' ' }] } }]).said).toEqual([]);
    expect(decodeAll([{ ...message, channel: { alternatives: [] } }]).said).toEqual([]);
  });

  it('counts times from where the connection began', () => {
    const { state } = decodeAll([results([['one', 0, 1]], SPEECH_FINAL)]);
    const [next, events] = nextConnection(state, 1_000);
    expect(events).toEqual([]);
    expect(decodeAll([results([['two', 0.5, 1]], SPEECH_FINAL)], next).said).toEqual(['final 1500-2000 two']);
  });

  it('gives out final words that wait when a connection ends', () => {
    const { state } = decodeAll([results([['one', 0, 1]], FINAL)]);
    expect(nextConnection(state, 1_000)[1].map(toLine)).toEqual(['final 0-1000 one']);
    expect(flushPending(INITIAL_STATE)[1]).toEqual([]);
  });

  it('knows speakers again by what they said in sound that was sent twice, whatever their numbers', () => {
    const { state } = decodeAll([
      results(
        [
          ['a', 0, 1, 0],
          ['b', 1, 2, 1],
        ],
        SPEECH_FINAL,
      ),
    ]);
    const [next] = nextConnection(state, 1_000);
    const { said } = decodeAll(
      [
        results(
          [
            ['b', 0, 1, 0],
            ['c', 1.2, 2, 1],
            ['d', 2, 3, 0],
          ],
          SPEECH_FINAL,
        ),
      ],
      next,
    );
    expect(said).toEqual(['final S3 2200-3000 c', 'final S2 3000-4000 d']);
  });

  it('never gives one label to two numbers', () => {
    const { state } = decodeAll([results([['a', 0, 2, 0]], SPEECH_FINAL)]);
    const [next] = nextConnection(state, 0);
    const { said } = decodeAll(
      [
        results(
          [
            ['a', 0, 0.5, 0],
            ['a', 0.5, 1.9, 1],
            ['x', 2.1, 3, 0],
            ['y', 3, 4, 1],
          ],
          SPEECH_FINAL,
        ),
      ],
      next,
    );
    expect(said).toEqual(['final S2 2100-3000 x', 'final S1 3000-4000 y']);
  });

  it('bounds what waits, what is remembered and the labels', () => {
    const words = Array.from({ length: MAX_PENDING_WORDS }, (_, index): Spoken => ['w', index, index + 1, index]);
    const { said, state } = decodeAll([results(words, FINAL)]);
    expect(said).toHaveLength(MAX_SPEAKERS + 1);
    expect(state.pending).toEqual([]);
    expect(state.speakers.recent).toHaveLength(MAX_RECENT_WORDS);
    expect(state.speakers.byNumber.size).toBe(MAX_SPEAKERS);
  });

  it.each([
    ['text', 'Results'],
    ['nothing', null],
    ['a list', []],
    ['times that are no numbers', { type: 'Results', start: 'a', duration: 1 }],
    ['a negative time', { type: 'Results', start: -1, duration: 1 }],
    ['times that are not finite', { type: 'Results', start: Infinity, duration: 1 }],
    ['no channel', { type: 'Results', start: 0, duration: 1 }],
    ['an alternative that is text', { type: 'Results', start: 0, duration: 1, channel: { alternatives: ['x'] } }],
    ['a word without times', results([['x', Number.NaN, 1]])],
    ['too many words', results(Array<Spoken>(MAX_WORDS + 1).fill(['x', 0, 1]))],
  ])('says that %s is malformed and changes nothing', (_what, payload) => {
    const [state, events] = decodeDeepgram(INITIAL_STATE, payload);
    expect(state).toBe(INITIAL_STATE);
    expect(events).toEqual([{ type: 'malformed', rule: expect.any(String) }]);
  });

  it('ignores types that it does not know', () => {
    expect(decodeAll([{ type: 'SpeechStarted', timestamp: 1 }, { type: 'Novelty' }, {}]).said).toEqual([]);
  });

  it('tells that Metadata came', () => {
    expect(decodeAll([{ type: 'Metadata', duration: 1 }]).said).toEqual(['metadata']);
  });

  it('is total over all JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        decodeDeepgram(INITIAL_STATE, payload);
        decodeDeepgram(INITIAL_STATE, { type: 'Results', start: 0, duration: 1, channel: payload });
        decodeDeepgram(INITIAL_STATE, {
          ...results([['x', 0, 1]]),
          channel: { alternatives: [payload] },
          is_final: true,
        });
      }),
    );
  });

  it('keeps every final word, once, in order, with times that never go back, wherever the connection breaks', () => {
    const script = Array.from({ length: 40 }, (_, index): Spoken => [
      `w${index}`,
      index / 2,
      index / 2 + 0.4,
      index % 3,
    ]);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
        fc.nat({ max: 39 }),
        (sizes, cut) => {
          let state = INITIAL_STATE;
          const finals: Decoded[] = [];
          const take = ([next, events]: [DecodeState, readonly Decoded[]]): void => {
            state = next;
            finals.push(...events.filter(({ type }) => type === 'final'));
          };
          let offset = 0;
          let hasBroken = false;
          let at = 0;
          for (let turn = 0; at < script.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            const part = script
              .slice(at, at + size)
              .map(([text, from, to, speaker]): Spoken => [text, from - offset, to - offset, speaker]);
            take(decodeDeepgram(state, results(part, turn % 2 === 0 ? FINAL : SPEECH_FINAL)));
            at += size;
            if (hasBroken || at < cut) continue;
            hasBroken = true;
            const back = Math.max(0, at - 7);
            offset = back / 2;
            at = back;
            take(nextConnection(state, offset * 1_000));
          }
          take(flushPending(state));
          const words = finals.flatMap((event) => (event.type === 'final' ? (event.words ?? []) : []));
          expect(words.map(({ text }) => text)).toEqual(script.map(([text]) => text));
          expect(words.every(({ startMs }, index) => startMs >= (words[index - 1]?.startMs ?? 0))).toBe(true);
        },
      ),
    );
  });
});
