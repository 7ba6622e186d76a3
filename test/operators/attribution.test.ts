import { describe, expect, it } from 'vitest';
import { UNKNOWN_SPEAKER } from '../../src/domain/speaker.ts';
import {
  dominantSpeaker,
  splitBySpeaker,
  toAttributedCue,
  type AttributedCue,
} from '../../src/operators/attribution.ts';
import { ADA, BEN, cue } from '../support/scriptedCall.ts';

const ada = (startMs: number, endMs: number): AttributedCue => ({ speaker: ADA, startMs, endMs });
const ben = (startMs: number, endMs: number): AttributedCue => ({ speaker: BEN, startMs, endMs });
const SPAN = { startMs: 1_000, endMs: 9_000 };
const parts = (cues: readonly AttributedCue[]): unknown[] =>
  splitBySpeaker(SPAN, cues, 100).map(({ speaker, startMs, endMs }) => [speaker.name, startMs, endMs]);

describe('dominantSpeaker', () => {
  it('is whoever has the most of the span, over all their cues.', () => {
    expect(dominantSpeaker(SPAN, [ben(1_000, 3_000), ada(3_000, 4_500), ada(5_000, 6_500)])).toBe(ADA);
  });
  it('is the first of two who have the same.', () => {
    expect(dominantSpeaker(SPAN, [ben(1_000, 3_000), ada(3_000, 5_000)])).toBe(BEN);
  });
  it('counts only what lies within the span.', () => {
    expect(dominantSpeaker(SPAN, [ben(0, 1_500), ada(2_000, 3_000)])).toBe(ADA);
  });
  it('is nobody known when no cue overlaps.', () => {
    expect(dominantSpeaker(SPAN, [ben(0, 1_000), ada(9_000, 10_000)])).toBe(UNKNOWN_SPEAKER);
  });
});

describe('splitBySpeaker', () => {
  it('keeps the span of one speaker whole, whatever the cues leave out.', () => {
    expect(parts([ada(2_000, 3_000), ada(5_000, 6_000)])).toEqual([['Ada', 1_000, 9_000]]);
    expect(parts([])).toEqual([['unknown', 1_000, 9_000]]);
  });
  it('splits half-way between the cues of two speakers.', () => {
    expect(parts([ada(1_000, 4_000), ben(4_400, 9_000)])).toEqual([
      ['Ada', 1_000, 4_200],
      ['Ben', 4_200, 9_000],
    ]);
  });
  it('splits in the middle of what two cues share.', () => {
    expect(parts([ben(4_000, 9_000), ada(1_000, 5_000)])).toEqual([
      ['Ada', 1_000, 4_500],
      ['Ben', 4_500, 9_000],
    ]);
  });
  it('splits at each change of speaker.', () => {
    const three = parts([ada(1_000, 3_000), ben(3_000, 6_000), ada(6_000, 9_000)]);
    expect(three).toEqual([
      ['Ada', 1_000, 3_000],
      ['Ben', 3_000, 6_000],
      ['Ada', 6_000, 9_000],
    ]);
  });
  it('leaves more than three seconds without any cue to nobody known, instead of guessing.', () => {
    expect(parts([ada(1_000, 4_000)])).toEqual([
      ['Ada', 1_000, 4_000],
      ['unknown', 4_000, 9_000],
    ]);
    expect(parts([ada(5_000, 9_000)])).toEqual([
      ['unknown', 1_000, 5_000],
      ['Ada', 5_000, 9_000],
    ]);
    expect(parts([ada(1_000, 3_000), ben(6_500, 9_000)])).toEqual([
      ['Ada', 1_000, 3_000],
      ['unknown', 3_000, 6_500],
      ['Ben', 6_500, 9_000],
    ]);
  });
  it('does not let a backchannel within a cue interrupt it.', () => {
    expect(parts([ada(1_000, 9_000), ben(4_000, 4_500)])).toEqual([['Ada', 1_000, 9_000]]);
  });
  it('splits off nothing shorter than the least part.', () => {
    expect(parts([ada(500, 1_050), ben(1_060, 9_000)])).toEqual([['Ben', 1_000, 9_000]]);
  });
});

describe('toAttributedCue', () => {
  it('narrows a transcript with a speaker and a length, and no other.', () => {
    expect(toAttributedCue(cue(0, 10, 'hi', ADA))).toEqual({ speaker: ADA, startMs: 0, endMs: 10 });
    expect(toAttributedCue(cue(0, 10, 'hi'))).toBeUndefined();
    expect(toAttributedCue(cue(10, 10, 'hi', ADA))).toBeUndefined();
  });
});
