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
  /** BCP 47 tag, when known. */
  readonly language?: string;
};

/** The language that the text encoder was trained on. */
const TEXT_LANGUAGE = 'en';

/** Whether the text encoder knows this language; one that nobody told counts as known. */
export function isTextLanguage(language: string | undefined): boolean {
  return language === undefined || language.toLowerCase().split('-')[0] === TEXT_LANGUAGE;
}

/**
 * The words of a transcript in order, each at its middle in time: as the recognizer tells its words' times when these are
 * the words of the text, else that of its middle character: time is linear in characters across the cue, a blank
 * counting as one. Words are what lies between white space. Empty for a text without any.
 */
export function toWords(transcript: Transcript): readonly Word[] {
  const { text, startMs, endMs, speaker, arrivalMs, language } = transcript;
  const parts = text.split(/\s+/u).filter((part) => part !== '');
  const characters = parts.reduce((sum, part) => sum + part.length, parts.length - 1);
  const timed = timesOf(transcript, parts);
  let before = 0;
  return parts.map((part, index) => {
    const midMs = timed?.[index] ?? startMs + ((before + part.length / 2) / characters) * (endMs - startMs);
    before += part.length + 1;
    return {
      text: part,
      midMs,
      cue: { startMs, endMs },
      arrivalMs,
      ...(speaker && { speaker }),
      ...(language !== undefined && { language }),
    };
  });
}

/** The middles of the words in time, kept within the transcript; undefined when the words told are not those of the text. */
function timesOf({ words = [], startMs, endMs }: Transcript, parts: readonly string[]): readonly number[] | undefined {
  if (words.length !== parts.length || words.some((word, index) => word.text.trim() !== parts[index])) return undefined;
  return words.map((word) => Math.max(startMs, Math.min(endMs, (word.startMs + word.endMs) / 2)));
}

/** Inserts `word` in order of time, after words of the same time. */
export function insertWord(words: Word[], word: Word): void {
  let at = words.length;
  while (at > 0 && (words[at - 1]?.midMs ?? -Infinity) > word.midMs) at--;
  words.splice(at, 0, word);
}
