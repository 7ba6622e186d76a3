import type { Insight } from '../domain/insight.ts';
import type { MissingReason, Modality } from '../domain/modality.ts';
import type { Observation } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Utterance, UtteranceEvidence } from '../domain/utterance.ts';
import type { Span } from './spans.ts';

/**
 * What flows between the operators of a pipeline: the observations as they arrived and what operators concluded from
 * them. Each operator passes on what it does not replace, so a pipeline is a list. `arrivalMs` is always the session
 * clock: the arrival of the observation that caused the signal.
 */
export type Signal =
  | Observation
  | SpeechOpened
  | SpeechDropped
  | SpeechClosed
  | Endpointed
  | UtteranceFound
  | UtteranceChanged
  | UtteranceAligned
  | UtteranceMeasured
  | WordsDropped
  | ModalityChanged;

/** Speech may have begun; a {@link SpeechClosed} or {@link SpeechDropped} with the same `stretchId` follows. */
export type SpeechOpened = {
  readonly type: 'speechOpened';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly stretchId: string;
  readonly startMs: number;
};

/** What had opened was too short to be speech, or another source now bounds the speech of its stream. */
type SpeechDropped = {
  readonly type: 'speechDropped';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly stretchId: string;
};

/** A stretch of speech, or a part of it when `stretchId` is absent, ended. `speaker`: who a diarizer says it was. */
export type SpeechClosed = {
  readonly type: 'speechClosed';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly stretchId?: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker?: Speaker;
};

/** All speech of a stream that starts before `untilMs` has been opened; `Infinity` when the stream is over. */
export type Endpointed = {
  readonly type: 'endpointed';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly untilMs: number;
};

/**
 * An utterance ended and has its id and speaker. `streamId` is null and `text` given when a caption cue is itself the
 * utterance. `isAttributed`: the speaker comes from captions (or from nothing yet), not from a track or a diarizer.
 * `stretchId` is given with the last utterance of a stretch of speech.
 */
export type UtteranceFound = {
  readonly type: 'utteranceFound';
  readonly arrivalMs: number;
  readonly utterance: Utterance;
  readonly streamId: string | null;
  readonly isAttributed: boolean;
  readonly overlaps: readonly Span[];
  readonly text?: string;
  readonly stretchId?: string;
};

/** An utterance that was found already has another speaker, or more of it is overlapped by others. */
export type UtteranceChanged = {
  readonly type: 'utteranceChanged';
  readonly arrivalMs: number;
  readonly utteranceId: string;
  readonly speaker?: Speaker;
  readonly overlaps?: readonly Span[];
};

/** All that is known of an utterance but its evidence. `overlaps`: where others talk on the same mixed channel. */
export type UtteranceRecord = {
  readonly utterance: Utterance;
  readonly streamId: string | null;
  readonly overlaps: readonly Span[];
  readonly text: string | null;
  /** The language of the text, when it is one that the text encoder was not trained on. */
  readonly language?: string;
};

/** An utterance with the words said in it; the first time (`isNew`) or after a change. */
export type UtteranceAligned = {
  readonly type: 'utteranceAligned';
  readonly arrivalMs: number;
  readonly isNew: boolean;
  readonly record: UtteranceRecord;
};

/** An utterance with its evidence, ready for the model. */
export type UtteranceMeasured = {
  readonly type: 'utteranceMeasured';
  readonly arrivalMs: number;
  readonly isNew: boolean;
  readonly record: UtteranceRecord;
  readonly evidence: UtteranceEvidence;
};

/** Words were given up: no utterance came within reach of them, or too many were waiting. */
export type WordsDropped = { readonly type: 'wordsDropped'; readonly arrivalMs: number; readonly count: number };

/** A modality came or went; without `speaker` for everybody. */
export type ModalityChanged = {
  readonly type: 'modalityChanged';
  readonly arrivalMs: number;
  readonly modality: Modality;
  readonly speaker?: Speaker;
  readonly state: 'present' | 'absent';
  readonly reason?: MissingReason;
};

type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never;

/** An insight that has not been numbered yet. */
export type InsightDraft = WithoutSeq<Insight>;

/** The last signal of a session that went to its end, with the clock it ended at. */
export type SessionEnded = { readonly type: 'sessionEnded'; readonly arrivalMs: number };
