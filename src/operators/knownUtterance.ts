import { overlapMs, type Span } from './spans.ts';
import { isSameSpeaker } from './streams.ts';
import type { UtteranceAligned, UtteranceFound } from './signal.ts';
import { isTextLanguage, type Word } from './words.ts';

/** An utterance that words are given to. `isNew`: nobody was told of it yet. */
export type Known = { found: UtteranceFound; readonly words: Word[]; isNew: boolean };

/** The utterance a word may belong to that is nearest in time; among those that contain it, the most of its cue. */
export function nearestTo(
  word: Word,
  utterances: Iterable<Known>,
  withinMs: number,
): { readonly known: Known; readonly distanceMs: number } | undefined {
  let best: { known: Known; distanceMs: number; sharedMs: number } | undefined;
  for (const known of utterances) {
    const { utterance, isAttributed, streamId } = known.found;
    const distanceMs = distanceTo(word.midMs, utterance);
    if (streamId === null || distanceMs > withinMs) continue;
    if (word.speaker && !isAttributed && !isSameSpeaker(word.speaker, utterance.speaker)) continue;
    const sharedMs = overlapMs(word.cue, utterance);
    const isNearer = best === undefined || distanceMs < best.distanceMs;
    if (isNearer || (distanceMs === best?.distanceMs && sharedMs > best.sharedMs))
      best = { known, distanceMs, sharedMs };
  }
  return best;
}

function distanceTo(atMs: number, span: Span): number {
  return Math.max(0, span.startMs - atMs, atMs - span.endMs);
}

/** Takes what is said away from an utterance. */
export function eraseWords(known: Known): void {
  const { text: _, ...found } = known.found;
  known.found = found;
  known.words.length = 0;
}

/** Tells of an utterance, with the words that it has at `arrivalMs`; it is not new any more. */
export function toAligned(known: Known, arrivalMs: number): UtteranceAligned {
  const { utterance, streamId, overlaps } = known.found;
  const text = known.words.length > 0 ? known.words.map((word) => word.text).join(' ') : null;
  const language = foreignLanguage(known.words);
  const aligned: UtteranceAligned = {
    type: 'utteranceAligned',
    arrivalMs,
    isNew: known.isNew,
    record: { utterance, streamId, overlaps, text, ...(language !== undefined && { language }) },
  };
  known.isNew = false;
  return aligned;
}

/** The language of the words when more than half of them are in one that the text encoder does not know. */
function foreignLanguage(words: readonly Word[]): string | undefined {
  const foreign = words.filter(({ language }) => !isTextLanguage(language));
  return 2 * foreign.length > words.length ? foreign[0]?.language : undefined;
}
