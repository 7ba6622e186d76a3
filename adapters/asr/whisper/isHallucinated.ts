import type { WhisperSegment } from './whisperBinding.ts';

/** Below this mean probability nothing is believed. */
export const MIN_CONFIDENCE = 0.35;
/** Below this, a phrase that Whisper is known to make of silence is not believed; above it, somebody may have said it. */
export const MIN_PHANTOM_CONFIDENCE = 0.7;
/** Nobody says more words in a second. */
const MAX_WORDS_PER_SECOND = 9;
/** As often in a row is a phrase of up to {@link MAX_REPEATED_WORDS} words not said. */
const MAX_REPEATS = 4;
const MAX_REPEATED_WORDS = 6;

/** What Whisper has been reported to hear in silence (whisper.cpp issue 1724 and others), in plain lower case. */
const PHANTOMS: ReadonlySet<string> = new Set([
  'you',
  'bye',
  'bye bye',
  'thank you',
  'thank you very much',
  'thanks for watching',
  'thank you for watching',
  'please subscribe',
  'see you next time',
]);

/**
 * Returns whether a segment is made up rather than heard: no letter or digit, only a note in brackets, very low confidence, more
 * words than can be said in its time, the same words over and over, or, at low confidence only, a known phantom phrase.
 */
export function isHallucinated({ text, from, to, confidence }: WhisperSegment): boolean {
  const words = toWords(text);
  if (words.length === 0 || !(confidence >= MIN_CONFIDENCE)) return true;
  if (words.length > 3 && words.length > (MAX_WORDS_PER_SECOND * (to - from)) / 1_000) return true;
  if (repeatsItself(words)) return true;
  return confidence < MIN_PHANTOM_CONFIDENCE && PHANTOMS.has(words.join(' '));
}

/** Lower-case words without punctuation and without notes such as [BLANK_AUDIO] or (music). */
function toWords(text: string): string[] {
  const plain = text.replace(/\[[^\]]*\]|\([^)]*\)|\*[^*]*\*/gu, ' ').toLowerCase();
  return plain.match(/[\p{L}\p{N}\p{M}']+/gu) ?? [];
}

function repeatsItself(words: readonly string[]): boolean {
  for (let size = 1; size <= MAX_REPEATED_WORDS; size += 1) {
    let same = 0;
    for (let at = size; at < words.length; at += 1) {
      same = words[at] === words[at - size] ? same + 1 : 0;
      if (same >= size * MAX_REPEATS) return true;
    }
  }
  return false;
}
