import type { OperatorFunction } from 'rxjs';
import type { ConsentChanged } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { pushBounded, requirePositive, setBounded } from './bounded.ts';
import { createConsents } from './consents.ts';
import { eraseWords, type Known, nearestTo, toAligned } from './knownUtterance.ts';
import type { Signal, UtteranceChanged, UtteranceFound } from './signal.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, type Stream, type Streams } from './streams.ts';
import { insertWord, toWords, type Word } from './words.ts';

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
  return stage(() => new Aligner(settings, hasTurns));
}

/** Holds the words that wait, and the utterances that may still be given some. */
class Aligner implements Required<Stage<Signal, Signal>> {
  readonly #settings: AlignmentSettings;
  readonly #streams: Streams;
  readonly #consents = createConsents();
  /** Stretches of speech that have not closed. */
  readonly #open = new Map<string, { readonly streamId: string; readonly startMs: number }>();
  readonly #heardUntilMs = new Map<string, number>();
  readonly #recent = new Map<string, Known>();
  readonly #changed = new Set<Known>();
  #pending: Word[] = [];
  #clockMs = 0;
  #dropped = 0;

  constructor(settings: AlignmentSettings, hasTurns: boolean) {
    this.#settings = settings;
    this.#streams = createStreams(hasTurns);
  }

  next(signal: Signal): readonly Signal[] {
    this.#clockMs = Math.max(this.#clockMs, signal.arrivalMs);
    this.#streams.observe(signal);
    const isPassedOn = this.#take(signal);
    const caused = signal.type === 'utteranceChanged' ? NONE : this.#flush(false);
    if (!isPassedOn) return caused;
    return caused.length === 0 ? [signal] : [signal, ...caused];
  }

  complete(): readonly Signal[] {
    return this.#flush(true);
  }

  /** Takes in a signal; true when it is passed on, false when it is replaced. */
  #take(signal: Signal): boolean {
    switch (signal.type) {
      case 'speechOpened':
        this.#open.set(signal.stretchId, { streamId: signal.streamId, startMs: signal.startMs });
        return false;
      case 'speechDropped':
        this.#open.delete(signal.stretchId);
        return false;
      case 'endpointed':
        setBounded(this.#heardUntilMs, signal.streamId, signal.untilMs, 512);
        return false;
      case 'utteranceFound':
        this.#close(signal);
        return false;
      case 'utteranceChanged':
        this.#change(signal);
        return false;
      case 'consent':
        this.#obey(signal);
        return true;
      case 'transcript':
        for (const word of toWords(signal)) this.#dropped += pushBounded(this.#pending, word, this.#settings.maxWords);
        return true;
      default:
        return true;
    }
  }

  #close(found: UtteranceFound): void {
    if (found.stretchId !== undefined) this.#open.delete(found.stretchId);
    const words = found.text === undefined ? [] : toWords({ ...toTranscript(found), text: found.text });
    const kept = words.slice(0, this.#settings.maxWords);
    this.#dropped += words.length - kept.length;
    const known = { found, words: [...kept], isNew: true };
    setBounded(this.#recent, found.utterance.id, known, this.#settings.recentUtterances);
    this.#changed.add(known);
  }

  #change({ utteranceId, speaker, overlaps }: UtteranceChanged): void {
    const known = this.#recent.get(utteranceId);
    if (known === undefined) return;
    const utterance = speaker ? { ...known.found.utterance, speaker } : known.found.utterance;
    known.found = { ...known.found, utterance, overlaps: overlaps ?? known.found.overlaps };
    this.#changed.add(known);
  }

  #obey(consent: ConsentChanged): void {
    this.#consents.observe(consent);
    this.#pending = this.#pending.filter(({ speaker }) => speaker === undefined || !this.#isWithheld(speaker));
    this.#eraseWithheld(this.#recent.values());
  }

  #eraseWithheld(utterances: Iterable<Known>): void {
    for (const known of utterances) if (this.#isWithheld(known.found.utterance.speaker)) eraseWords(known);
  }

  #isWithheld(speaker: Speaker): boolean {
    return this.#consents.reasonOf('text', speaker) !== undefined;
  }

  #flush(isOver: boolean): readonly Signal[] {
    if (this.#pending.length === 0 && this.#changed.size === 0 && this.#dropped === 0) return NONE;
    if (this.#pending.length > 0) this.#pending = this.#pending.filter((word) => !this.#settle(word, isOver));
    this.#eraseWithheld(this.#changed);
    const signals: Signal[] = [...this.#changed].map((known) => toAligned(known, this.#clockMs));
    this.#changed.clear();
    if (this.#dropped > 0) signals.push({ type: 'wordsDropped', arrivalMs: this.#clockMs, count: this.#dropped });
    this.#dropped = 0;
    return signals;
  }

  /** Settles one word; false when it goes on waiting. */
  #settle(word: Word, isOver: boolean): boolean {
    const best = nearestTo(word, this.#recent.values(), this.#settings.toleranceMs);
    const reachMs = best?.distanceMs ?? this.#settings.toleranceMs;
    if (!isOver && reachMs > 0 && this.#mayStillCome(word, reachMs, best !== undefined)) return false;
    if (best === undefined || best.known.words.length >= this.#settings.maxWords) this.#dropped++;
    else {
      insertWord(best.known.words, word);
      this.#changed.add(best.known);
    }
    return true;
  }

  /** Whether an utterance nearer than `reachMs` may still open or close. */
  #mayStillCome(word: Word, reachMs: number, hasNear: boolean): boolean {
    const waitedMs = this.#clockMs - word.arrivalMs;
    if (waitedMs >= this.#settings.maxWaitMs) return false;
    const mayCome = ({ streamId, isDiarized }: Stream): boolean => {
      if (this.#opensWithin(streamId, word.midMs, reachMs)) return true;
      const untilMs = this.#heardUntilMs.get(streamId) ?? -Infinity;
      if (untilMs === Infinity) return false;
      return isDiarized ? !hasNear || waitedMs < 2 * this.#settings.toleranceMs : untilMs - word.midMs <= reachMs;
    };
    return this.#streams.audioOf(word.speaker).some(mayCome);
  }

  #opensWithin(streamId: string, atMs: number, reachMs: number): boolean {
    return [...this.#open.values()].some((open) => open.streamId === streamId && open.startMs - atMs < reachMs);
  }
}

function toTranscript({ utterance, arrivalMs }: UtteranceFound): Omit<Extract<Signal, { type: 'transcript' }>, 'text'> {
  return { type: 'transcript', arrivalMs, streamId: '', startMs: utterance.startMs, endMs: utterance.endMs };
}
