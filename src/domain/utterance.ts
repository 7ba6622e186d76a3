import type { Availability, PerModality } from './modality.ts';
import type { Speaker } from './speaker.ts';

/** A stretch of speech by one speaker, bounded by pauses: the unit that is classified. Times in session ms. */
export type Utterance = {
  readonly id: string;
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly endMs: number;
};

/**
 * What the model is given of an utterance. An absent input is `undefined`, never zeros.
 * `prosody`: the eight measures of features/audio/prosody, in its order and units.
 * `segments`: row-major `[frames, SEGMENT_COLUMNS.length]` at 10 Hz. `face`, `body`: row-major frames at 10 Hz, of 52 and
 * 28 columns. `vectors`: for every other input of the weights, by its name, what the caller's own encoder gave (a sentence
 * vector, a sequence of audio frames): one row of the input's width, or rows of it for a sequence.
 */
export type UtteranceEvidence = {
  readonly text?: string;
  readonly prosody?: Float32Array;
  readonly segments?: Float32Array;
  readonly face?: Float32Array;
  readonly body?: Float32Array;
  readonly vectors?: Readonly<Record<string, Float32Array>>;
  readonly availability: PerModality<Availability>;
};

/** What the model concluded of one utterance at one look-ahead. `probabilities` follow the label set and sum to 1. */
export type Prediction = {
  readonly utteranceId: string;
  /** How many later utterances of the session this prediction has seen. */
  readonly lookAhead: number;
  readonly isFinal: boolean;
  readonly probabilities: readonly number[];
  /** Share of each modality in the fused result; absent ones are exactly 0, the others sum to 1. */
  readonly weights: PerModality<number>;
};
