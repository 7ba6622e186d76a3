import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Presence } from './presence.ts';
import type { UtteranceMeasured } from './signal.ts';

/** When text counts as absent. */
export type TextWatchSettings = {
  /** Text may come this long after the end of speech before an utterance counts as without text. */
  readonly textGraceMs: number;
  /** So many utterances of a speaker in a row without text … */
  readonly textlessUtterances: number;
  /** … or so much of their speech, and text is absent. */
  readonly textlessMs: number;
};

const MAX_WAITING = 256;
const MAX_SPEAKERS = 512;

/** Follows whether transcripts reach what each speaker says. */
export type TextWatch = {
  /** Transcripts exist from now on. */
  open(): void;
  /** An utterance was heard, or changed. */
  heard(signal: UtteranceMeasured, clockMs: number): void;
  /** Counts the utterances that have waited too long for their text at `clockMs`. */
  advance(clockMs: number): void;
};

type Textless = { readonly speaker: Speaker; readonly endMs: number; readonly lengthMs: number };

/**
 * Returns a watch that tells `presence` of text: absent for `no_captions` when enough of a speaker's utterances in a row
 * stayed without text for `textGraceMs` and it is not known to be absent already, or for `language` when their text is in one that the model does not know; present
 * again with their next text. Before the first transcript nothing is
 * said per speaker: there are no captions at all.
 */
export function watchText(presence: Presence, settings: TextWatchSettings): TextWatch {
  const waiting = new Map<string, Textless>();
  const streaks = new Map<string, { utterances: number; ms: number }>();
  let hasCaptions = false;

  const hasText = (speaker: Speaker): void => {
    streaks.delete(speaker.id);
    if (!hasCaptions) presence.present('text', undefined);
    hasCaptions = true;
    const reason = presence.reasonOf('text', speaker);
    if (reason === 'no_captions' || reason === 'language') presence.present('text', speaker);
  };
  const hasNone = ({ speaker, lengthMs }: Textless): void => {
    const streak = streaks.get(speaker.id) ?? { utterances: 0, ms: 0 };
    streak.utterances += 1;
    streak.ms += lengthMs;
    setBounded(streaks, speaker.id, streak, MAX_SPEAKERS);
    const isLong = streak.utterances >= settings.textlessUtterances || streak.ms >= settings.textlessMs;
    const isPresent = presence.reasonOf('text', speaker) === undefined;
    if (isLong && hasCaptions && isPresent) presence.absent('text', speaker, 'no_captions');
  };

  return {
    open: () => {
      hasCaptions = true;
    },
    heard: ({ record, isNew }) => {
      const { id, speaker, startMs, endMs } = record.utterance;
      const isWaiting = waiting.has(id);
      if (record.text !== null) {
        waiting.delete(id);
        if (record.language === undefined) hasText(speaker);
        else presence.absent('text', speaker, 'language');
      } else if (isNew || isWaiting) {
        setBounded(waiting, id, { speaker, endMs, lengthMs: endMs - startMs }, MAX_WAITING);
      }
    },
    advance: (clockMs) => {
      for (const [id, textless] of waiting) {
        if (clockMs - textless.endMs < settings.textGraceMs) continue;
        waiting.delete(id);
        hasNone(textless);
      }
    },
  };
}
