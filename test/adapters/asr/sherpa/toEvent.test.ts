import { describe, expect, it } from 'vitest';
import type { SherpaResult } from '../../../../adapters/asr/sherpa/messages.ts';
import { toEvent } from '../../../../adapters/asr/sherpa/toEvent.ts';

type Token = SherpaResult['tokens'][number];
const token = (text: string, atMs: number, p = 0.5): Token => ({ text, atMs, logP: Math.log(p) });
const result = (tokens: readonly Token[], isFinal = true, givenMs = 5_000): SherpaResult => ({
  offsetMs: 0,
  text: tokens.map(({ text }) => text).join(''),
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

  it('says whose words they are', () => {
    expect(toEvent({ ...result([token(' A', 100)]), speaker: 'S2' }, 0)).toMatchObject({ speakerLabel: 'S2' });
  });

  it('gives the text of the whole piece where the model tells no times, after what was final before', () => {
    const untimed = { offsetMs: 1_000, givenMs: 4_000, text: ' Hello  you ', tokens: [], isFinal: true };
    expect(toEvent(untimed, 1_200)).toEqual({ type: 'final', startMs: 1_200, endMs: 4_000, text: 'Hello you' });
    expect(toEvent({ ...untimed, text: '  ' }, 0)).toBeNull();
  });

  it('tells no confidence where the model tells no probabilities', () => {
    const [bare] = [{ text: ' A', atMs: 100 }];
    expect(toEvent(result(bare ? [bare] : []), 0)).not.toHaveProperty('confidence');
  });
});
