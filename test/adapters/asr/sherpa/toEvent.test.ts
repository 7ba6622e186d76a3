import { describe, expect, it } from 'vitest';
import type { SherpaResult } from '../../../../adapters/asr/sherpa/messages.ts';
import { toEvent } from '../../../../adapters/asr/sherpa/toEvent.ts';

type Token = SherpaResult['tokens'][number];
const token = (text: string, atMs: number, p = 0.5): Token => ({ text, atMs, logP: Math.log(p) });
const result = (tokens: readonly Token[], isFinal = true, givenMs = 5_000): SherpaResult => ({
  offsetMs: 0,
  tokens,
  givenMs,
  isFinal,
});

describe('toEvent', () => {
  it('joins tokens to words that end with the next word, or 80 ms after their last token', () => {
    const event = toEvent(
      result([token(' HEL', 100, 1), token('LO', 200, 0.5), token(' YOU', 240), token(' ALL', 900)]),
      0,
    );
    expect(event).toEqual({
      type: 'final',
      startMs: 100,
      endMs: 980,
      text: 'HELLO YOU ALL',
      words: [
        { text: 'HELLO', startMs: 100, endMs: 240, confidence: 0.75 },
        { text: 'YOU', startMs: 240, endMs: 320, confidence: 0.5 },
        { text: 'ALL', startMs: 900, endMs: 980, confidence: 0.5 },
      ],
      confidence: 0.625,
    });
  });

  it('begins words at ▁ as well, and takes tokens without blanks as one word', () => {
    expect(toEvent(result([token('▁A', 0), token('▁B', 40)]), 0)).toMatchObject({ text: 'A B' });
    expect(toEvent(result([token('你', 0), token('好', 40)]), 0)).toMatchObject({ text: '你好' });
  });

  it('gives an interim without words', () => {
    const event = toEvent(result([token(' SO', 100)], false), 0);
    expect(event).toEqual({ type: 'interim', startMs: 100, endMs: 180, text: 'SO' });
  });

  it('gives nothing for nothing', () => {
    expect(toEvent(result([]), 0)).toBeNull();
    expect(toEvent(result([token(' ', 0)]), 0)).toBeNull();
  });

  it('stays after the final before and within the sound', () => {
    const event = toEvent(result([token(' SO', 100), token(' IT', 4_990)]), 300);
    expect(event).toMatchObject({ startMs: 300, endMs: 5_000 });
  });

  it('gives confidence 0, not NaN, for probabilities that are no numbers', () => {
    const event = toEvent(result([{ text: ' SO', atMs: 0, logP: Number.NaN }]), 0);
    expect(event).toMatchObject({ confidence: 0 });
  });
});
