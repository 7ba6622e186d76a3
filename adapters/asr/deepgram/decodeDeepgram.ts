import type { RecognizerEvent } from '../../../src/adapter.ts';
import { parseDeepgramMessage, type DeepgramResults, type DeepgramWord } from './messages.ts';
import { nameSpeakers, NO_SPEAKERS, recognizeSpeakers, rememberWords, withoutNumbers } from './speakerLabels.ts';
import type { SpeakerLabels, SpokenWord } from './speakerLabels.ts';
import { toFinals, toInterim } from './toEvents.ts';

/** What decoding must remember of one stream, over all its connections. Times are ms of the stream's clock. */
export type DecodeState = {
  /** Stream time of the first sample that this connection was given. */
  readonly offsetMs: number;
  /** Everything before is final: sound that need not be sent again, words that would be repeats. */
  readonly finalUntilMs: number;
  /** End of the last final that was given out. */
  readonly givenUntilMs: number;
  /** Final words of the utterance that is not over yet. */
  readonly pending: readonly SpokenWord[];
  readonly language?: string;
  readonly speakers: SpeakerLabels;
};

/** What a payload comes to: what was heard, or a message beside it. `rule` names fields and limits, never words. */
export type Decoded =
  RecognizerEvent | { readonly type: 'metadata' } | { readonly type: 'malformed'; readonly rule: string };

/** A stream before its first message. */
export const INITIAL_STATE: DecodeState = {
  offsetMs: 0,
  finalUntilMs: 0,
  givenUntilMs: 0,
  pending: [],
  speakers: NO_SPEAKERS,
};

/** The most words that wait for the end of an utterance; more are given out without it. */
export const MAX_PENDING_WORDS = 200;

/**
 * Decodes one message. Final words gather until the utterance ends: with `speech_final`, an answer to Finalize, or failing
 * these UtteranceEnd, which otherwise repeats what is known and is ignored. Then there is one final for each speaker in
 * turn. Words that were final before, in a message that came twice or in sound that was sent again, are dropped; they tell
 * which number a known speaker has now. Total over all JSON.
 */
export function decodeDeepgram(state: DecodeState, payload: unknown): [DecodeState, readonly Decoded[]] {
  const message = parseDeepgramMessage(payload);
  switch (message.type) {
    case 'results':
      return message.isFinal ? decodeFinal(state, message) : [state, decodeInterim(state, message)];
    case 'utteranceEnd':
      return flushPending(state);
    case 'metadata':
    case 'malformed':
      return [state, [message]];
    case 'other':
      return [state, []];
  }
}

/** A new connection whose first sample is at `offsetMs`: final words are given out, speaker numbers begin again. */
export function nextConnection(state: DecodeState, offsetMs: number): [DecodeState, readonly RecognizerEvent[]] {
  const [flushed, events] = flushPending(state);
  return [{ ...flushed, offsetMs, speakers: withoutNumbers(flushed.speakers) }, events];
}

/** Gives out the final words that still wait; nothing when there are none. */
export function flushPending(state: DecodeState): [DecodeState, readonly RecognizerEvent[]] {
  const finals = toFinals(state.pending, state.givenUntilMs, state.language);
  const givenUntilMs = finals.at(-1)?.endMs ?? state.givenUntilMs;
  return [{ ...state, pending: [], givenUntilMs }, finals];
}

function decodeFinal(state: DecodeState, message: DeepgramResults): [DecodeState, readonly RecognizerEvent[]] {
  const { repeated, fresh } = separate(state, message);
  const speakers = nameSpeakers(recognizeSpeakers(state.speakers, repeated), fresh);
  const words = fresh.map((word) => toSpoken(word, speakers));
  const language = message.language ?? state.language;
  const next: DecodeState = {
    ...state,
    finalUntilMs: Math.max(state.finalUntilMs, message.endMs + state.offsetMs),
    pending: [...state.pending, ...words],
    speakers: rememberWords(speakers, words),
    ...(language !== undefined && { language }),
  };
  if (message.isSpeechFinal || next.pending.length >= MAX_PENDING_WORDS) return flushPending(next);
  return [next, []];
}

function decodeInterim(state: DecodeState, message: DeepgramResults): readonly RecognizerEvent[] {
  const fresh = separate(state, message).fresh.map((word) => toSpoken(word, state.speakers));
  return fresh.length === 0 ? [] : toInterim([...state.pending, ...fresh]);
}

/** The words of a message on the stream's clock: those that were final before, by their middle, and the others. */
function separate(state: DecodeState, message: DeepgramResults): Record<'repeated' | 'fresh', DeepgramWord[]> {
  const repeated: DeepgramWord[] = [];
  const fresh: DeepgramWord[] = [];
  for (const word of message.words) {
    const startMs = word.startMs + state.offsetMs;
    const endMs = word.endMs + state.offsetMs;
    const isRepeated = (startMs + endMs) / 2 < state.finalUntilMs;
    (isRepeated ? repeated : fresh).push({ ...word, startMs, endMs });
  }
  return { repeated, fresh };
}

function toSpoken({ speaker, ...word }: DeepgramWord, { byNumber }: SpeakerLabels): SpokenWord {
  const label = speaker === undefined ? undefined : byNumber.get(speaker);
  return { ...word, ...(label !== undefined && { label }) };
}
