import type { OperatorFunction } from 'rxjs';
import type { Speaker } from '../domain/speaker.ts';
import { pushBounded, requirePositive, setBounded } from './bounded.ts';
import { createConsents } from './consents.ts';
import type { Signal, UtteranceAligned, UtteranceChanged, UtteranceFound } from './signal.ts';
import { overlapMs, type Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker, type Stream } from './streams.ts';
import { insertWord, isTextLanguage, toWords, type Word } from './words.ts';

/** How words find their utterance. Defaults in {@link DEFAULT_ALIGNMENT}. */
export type AlignmentSettings = {
  /** A word outside all utterances goes to the nearest one within this many ms. */
  readonly toleranceMs: number;
  /** A word waits at most this long, in session ms, for its utterance to close. */
  readonly maxWaitMs: number;
  /** More words than these never wait, and no utterance has more; the oldest go first. */
  readonly maxWords: number;
  /** How many of the latest utterances can still be given words. */
  readonly recentUtterances: number;
};

/** Words reach 500 ms, wait for 30 s, and find any of the last 128 utterances. */
export const DEFAULT_ALIGNMENT: AlignmentSettings = {
  toleranceMs: 500,
  maxWaitMs: 30_000,
  maxWords: 2_000,
  recentUtterances: 128,
};

const NONE: readonly Signal[] = [];

type Known = { found: UtteranceFound; readonly words: Word[]; isNew: boolean };

/**
 * Emits each utterance with its words, first when it closes (`isNew`), then again whenever words come late or
 * `utteranceChanged` told of a new speaker or overlap. A word goes to the utterance of its speaker that contains its
 * middle (any speaker's when the cue names none, or when captions are what attributes the utterance), else to the
 * nearest within `toleranceMs`; it waits while such an utterance may still open or close. Words that find none are
 * dropped and counted (`wordsDropped`). Words that a speaker's consent does not cover are erased. All else passes on, before what it causes. On complete, waiting words are
 * settled; on error they are lost.
 * @throws RangeError when a setting is not positive.
 */
export function alignTranscripts(settings: AlignmentSettings, hasTurns: boolean): OperatorFunction<Signal, Signal> {
  requirePositive(settings);
  return stage(() => createAligner(settings, hasTurns));
}

function createAligner(settings: AlignmentSettings, hasTurns: boolean): Required<Stage<Signal, Signal>> {
  const streams = createStreams(hasTurns);
  const consents = createConsents();
  const open = new Map<string, { readonly streamId: string; readonly startMs: number }>();
  const heardUntilMs = new Map<string, number>();
  const recent = new Map<string, Known>();
  const changed = new Set<Known>();
  let pending: Word[] = [];
  let clockMs = 0;
  let dropped = 0;

  const mayStillCome = (word: Word, reachMs: number, hasNear: boolean): boolean => {
    const waitedMs = clockMs - word.arrivalMs;
    if (waitedMs >= settings.maxWaitMs) return false;
    const mayCome = ({ streamId, isDiarized }: Stream): boolean => {
      const opensWithin = [...open.values()].some((o) => o.streamId === streamId && o.startMs - word.midMs < reachMs);
      if (opensWithin) return true;
      const untilMs = heardUntilMs.get(streamId) ?? -Infinity;
      if (untilMs === Infinity) return false;
      return isDiarized ? !hasNear || waitedMs < 2 * settings.toleranceMs : untilMs - word.midMs <= reachMs;
    };
    return streams.audioOf(word.speaker).some(mayCome);
  };

  /** Settles one word; false when it goes on waiting. */
  const settle = (word: Word, isOver: boolean): boolean => {
    const best = nearest(word, recent.values(), settings.toleranceMs);
    const reachMs = best?.distanceMs ?? settings.toleranceMs;
    if (!isOver && reachMs > 0 && mayStillCome(word, reachMs, best !== undefined)) return false;
    if (best === undefined || best.known.words.length >= settings.maxWords) dropped++;
    else {
      insertWord(best.known.words, word);
      changed.add(best.known);
    }
    return true;
  };

  const isWithheld = (speaker: Speaker): boolean => consents.reasonOf('text', speaker) !== undefined;
  const eraseWithheld = (): void => {
    pending = pending.filter(({ speaker }) => speaker === undefined || !isWithheld(speaker));
    for (const known of recent.values()) if (isWithheld(known.found.utterance.speaker)) eraseWords(known);
  };

  const flush = (isOver = false): readonly Signal[] => {
    if (pending.length === 0 && changed.size === 0 && dropped === 0) return NONE;
    if (pending.length > 0) pending = pending.filter((word) => !settle(word, isOver));
    for (const known of changed) if (isWithheld(known.found.utterance.speaker)) eraseWords(known);
    const signals: Signal[] = [...changed].map((known) => toAligned(known, clockMs));
    changed.clear();
    if (dropped > 0) signals.push({ type: 'wordsDropped', arrivalMs: clockMs, count: dropped });
    dropped = 0;
    return signals;
  };

  const close = (found: UtteranceFound): void => {
    if (found.stretchId !== undefined) open.delete(found.stretchId);
    const words = found.text === undefined ? [] : toWords({ ...toTranscript(found), text: found.text });
    const kept = words.slice(0, settings.maxWords);
    dropped += words.length - kept.length;
    const known = { found, words: [...kept], isNew: true };
    setBounded(recent, found.utterance.id, known, settings.recentUtterances);
    changed.add(known);
  };

  const change = ({ utteranceId, speaker, overlaps }: UtteranceChanged): void => {
    const known = recent.get(utteranceId);
    if (known === undefined) return;
    const utterance = speaker ? { ...known.found.utterance, speaker } : known.found.utterance;
    known.found = { ...known.found, utterance, overlaps: overlaps ?? known.found.overlaps };
    changed.add(known);
  };

  /** Takes in a signal; true when it is passed on, false when it is replaced. */
  const take = (signal: Signal): boolean => {
    switch (signal.type) {
      case 'speechOpened':
        open.set(signal.stretchId, { streamId: signal.streamId, startMs: signal.startMs });
        return false;
      case 'speechDropped':
        open.delete(signal.stretchId);
        return false;
      case 'endpointed':
        setBounded(heardUntilMs, signal.streamId, signal.untilMs, 512);
        return false;
      case 'utteranceFound':
        close(signal);
        return false;
      case 'utteranceChanged':
        change(signal);
        return false;
      case 'consent':
        consents.observe(signal);
        eraseWithheld();
        return true;
      case 'transcript':
        for (const word of toWords(signal)) dropped += pushBounded(pending, word, settings.maxWords);
        return true;
      default:
        return true;
    }
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      const isPassedOn = take(signal);
      const caused = signal.type === 'utteranceChanged' ? NONE : flush();
      if (!isPassedOn) return caused;
      return caused.length === 0 ? [signal] : [signal, ...caused];
    },
    complete: () => flush(true),
  };
}

/** The utterance a word may belong to that is nearest in time; among those that contain it, the most of its cue. */
function nearest(
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

function eraseWords(known: Known): void {
  const { text: _, ...found } = known.found;
  known.found = found;
  known.words.length = 0;
}

function toTranscript({ utterance, arrivalMs }: UtteranceFound): Omit<Extract<Signal, { type: 'transcript' }>, 'text'> {
  return { type: 'transcript', arrivalMs, streamId: '', startMs: utterance.startMs, endMs: utterance.endMs };
}

function toAligned(known: Known, arrivalMs: number): UtteranceAligned {
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
