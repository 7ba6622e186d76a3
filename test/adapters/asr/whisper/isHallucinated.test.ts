import { describe, expect, it } from 'vitest';
import { isHallucinated } from '../../../../adapters/asr/whisper/isHallucinated.ts';

const segment = (text: string, confidence: number, to = 2_000): Parameters<typeof isHallucinated>[0] => ({
  from: 0,
  to,
  text,
  confidence,
  tokens: [],
});

describe('isHallucinated', () => {
  it.each<[string, string, number, number?]>([
    ['nothing', ' ', 0.99],
    ['punctuation', ' ... !', 0.99],
    ['a note in brackets', ' [BLANK_AUDIO] (music) *sighs*', 0.99],
    ['what is hardly believed', ' We meet at noon.', 0.2],
    ['confidence that is no number', ' We meet at noon.', Number.NaN],
    ['a phantom phrase at low confidence', ' Thank you for watching!', 0.6],
    ['one word over and over', ` ${'no '.repeat(12)}`, 0.9, 9_000],
    ['a phrase over and over', ` ${'I am here, '.repeat(6)}`, 0.9, 9_000],
    ['more words than can be said', ' one two three four five six seven eight nine ten', 0.9, 500],
  ])('is true of %s', (_what, text, confidence, to) => {
    expect(isHallucinated(segment(text, confidence, to))).toBe(true);
  });

  it.each<[string, string, number]>([
    ['speech', ' We meet at noon.', 0.6],
    ['a phantom phrase that is well heard', ' Thank you.', 0.9],
    ['a phantom phrase within more', ' Thank you for watching the children.', 0.5],
    ['a word said three times', ' No, no, no.', 0.8],
    ['numbers', ' 1984', 0.8],
    ['another script', ' 我们走吧', 0.8],
  ])('is false of %s', (_what, text, confidence) => {
    expect(isHallucinated(segment(text, confidence))).toBe(false);
  });
});
