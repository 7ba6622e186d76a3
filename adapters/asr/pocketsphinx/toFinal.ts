import type { RecognizerEvent } from '../../../src/adapter.ts';
import type { TimedWord } from '../../../src/domain/observation.ts';

/** A word as PocketSphinx tells it: frames of 10 ms, counted over the utterances of its decoder, the last one included. */
export type Segment = { readonly word: string; readonly first: number; readonly last: number };

const FRAME_MS = 10;

/**
 * Returns the final of an utterance that began at `startMs` and whose sound ends at `endMs`; nothing when no word is among
 * the segments. The first segment
 * is where the utterance began. Silence (`<sil>`) and noises (`[NOISE]`, `++UM++`) are no words; `and(2)` is a way to say "and".
 */
export function toFinal(
  segments: readonly Segment[],
  startMs: number,
  endMs: number,
): Extract<RecognizerEvent, { type: 'final' }> | undefined {
  const words: TimedWord[] = [];
  const origin = segments[0]?.first ?? 0;
  for (const { word, first, last } of segments) {
    const text = toWord(word);
    if (text === '') continue;
    const at = Math.min(endMs, startMs + (first - origin) * FRAME_MS);
    words.push({ text, startMs: at, endMs: Math.max(at, Math.min(endMs, startMs + (last + 1 - origin) * FRAME_MS)) });
  }
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined || last.endMs <= first.startMs) return undefined;
  const text = words.map((word) => word.text).join(' ');
  return { type: 'final', startMs: first.startMs, endMs: last.endMs, text, words, language: 'en' };
}

/** The plain word of a dictionary entry; empty for what is no word. */
function toWord(entry: string): string {
  return /^[<[+]/u.test(entry) ? '' : entry.replace(/\(\d+\)$/u, '').trim();
}
