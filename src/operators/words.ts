import type { Transcript } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Span } from './spans.ts';

/** A word of a transcript: the time of its middle, its cue, who says it (when known) and when it reached us. */
export type Word = {
  readonly text: string;
  readonly midMs: number;
  readonly cue: Span;
  readonly speaker?: Speaker;
  readonly arrivalMs: number;
};

/**
 * The words of a transcript in order, each at the time of its middle character: time is linear in characters across the
 * cue, a blank counting as one. Words are what lies between white space. Empty for a text without any.
 */
export function toWords({ text, startMs, endMs, speaker, arrivalMs }: Transcript): readonly Word[] {
  const parts = text.split(/\s+/u).filter((part) => part !== '');
  const characters = parts.reduce((sum, part) => sum + part.length, parts.length - 1);
  let before = 0;
  return parts.map((part) => {
    const midMs = startMs + ((before + part.length / 2) / characters) * (endMs - startMs);
    before += part.length + 1;
    return { text: part, midMs, cue: { startMs, endMs }, arrivalMs, ...(speaker && { speaker }) };
  });
}

/** Inserts `word` in order of time, after words of the same time. */
export function insertWord(words: Word[], word: Word): void {
  let at = words.length;
  while (at > 0 && (words[at - 1]?.midMs ?? -Infinity) > word.midMs) at--;
  words.splice(at, 0, word);
}
