import type { Prediction, Utterance, UtteranceEvidence } from './utterance.ts';

/** The inputs that evidence has a field for; a model may have others, which are given as `vectors` by name. */
export const MODEL_INPUTS = ['text', 'prosody', 'segments', 'face', 'body'] as const;
/** The name of an input: one of {@link MODEL_INPUTS}, or whatever the weights call it. */
export type ModelInput = (typeof MODEL_INPUTS)[number] | (string & Record<never, never>);

/** A value now or later. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The model of one conversation: its context grows with each utterance, work and memory per call do not.
 * `add` classifies a new utterance and refreshes the predictions of the utterances still inside the look-ahead window;
 * the result holds every utterance of the window, oldest first. The utterance that has now seen `lookAhead` later ones is
 * marked `isFinal` and leaves the window. `revise` gives an utterance new evidence or another speaker and returns the
 * refreshed window; it returns nothing when the utterance is already final. `finish` marks everything final.
 */
export type ConversationModel = {
  readonly labels: readonly string[];
  readonly lookAhead: number;
  readonly inputs: ReadonlySet<ModelInput>;
  add(utterance: Utterance, evidence: UtteranceEvidence): Awaitable<readonly Prediction[]>;
  revise(utterance: Utterance, evidence: UtteranceEvidence): Awaitable<readonly Prediction[]>;
  finish(): Awaitable<readonly Prediction[]>;
};
