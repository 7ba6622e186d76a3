import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toFinal } from '../../../../adapters/asr/pocketsphinx/toFinal.ts';

describe('toFinal', () => {
  it('gives each word its times in the sound of the stream, and leaves out silence and noises', () => {
    const segments = [
      { word: '<s>', first: 0, last: 4 },
      { word: 'ask', first: 5, last: 24 },
      { word: '<sil>', first: 25, last: 29 },
      { word: '[NOISE]', first: 30, last: 34 },
      { word: '++UM++', first: 35, last: 39 },
      { word: 'not', first: 40, last: 59 },
      { word: '</s>', first: 60, last: 70 },
    ];
    expect(toFinal(segments, 1_000, 1_800)).toEqual({
      type: 'final',
      startMs: 1_050,
      endMs: 1_600,
      text: 'ask not',
      words: [
        { text: 'ask', startMs: 1_050, endMs: 1_250 },
        { text: 'not', startMs: 1_400, endMs: 1_600 },
      ],
      language: 'en',
    });
  });

  it('counts frames from the first segment, because a decoder goes on counting from one utterance to the next', () => {
    const segments = [
      { word: '<s>', first: 300, last: 309 },
      { word: 'again', first: 310, last: 329 },
    ];
    expect(toFinal(segments, 3_000, 4_000)?.words).toEqual([{ text: 'again', startMs: 3_100, endMs: 3_300 }]);
  });

  it('says a word once, however it was pronounced', () => {
    const final = toFinal([{ word: 'and(2)', first: 0, last: 9 }], 0, 100);
    expect(final?.text).toBe('and');
  });

  it('gives nothing without words', () => {
    expect(toFinal([], 0, 1_000)).toBeUndefined();
    expect(toFinal([{ word: '<sil>', first: 0, last: 90 }], 0, 1_000)).toBeUndefined();
    const late = [
      { word: '<s>', first: 0, last: 19 },
      { word: 'late', first: 20, last: 30 },
    ];
    expect(toFinal(late, 0, 100)).toBeUndefined();
  });

  it('keeps every word within the sound and in order, whatever the frames', () => {
    const segment = fc.record({ word: fc.constantFrom('a', 'b(2)', '<sil>'), length: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 20 }), fc.nat(5_000), fc.nat(4_000), (parts, startMs, lengthMs) => {
        let at = 0;
        const segments = parts.map(({ word, length }) => ({ word, first: at, last: (at += length + 1) - 1 }));
        const final = toFinal(segments, startMs, startMs + lengthMs);
        let after = startMs;
        for (const word of final?.words ?? []) {
          expect(word.startMs).toBeGreaterThanOrEqual(after);
          expect(word.endMs).toBeGreaterThanOrEqual(word.startMs);
          expect(word.endMs).toBeLessThanOrEqual(startMs + lengthMs);
          after = word.startMs;
        }
      }),
    );
  });
});
