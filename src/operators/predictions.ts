import type { UtteranceInsight, UtteranceStatus } from '../domain/insight.ts';
import { MODALITIES, type Availability, type PerModality } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Prediction } from '../domain/utterance.ts';
import type { UtteranceMeasured, UtteranceRecord } from './signal.ts';
import { isSameSpeaker } from './streams.ts';

/** An answer that has not been numbered yet. */
export type UtteranceDraft = Omit<UtteranceInsight, 'seq'>;

/** When, in session time, and after how much computing an answer is told. */
type Telling = { readonly atMs: number; readonly computeMs: number };

/** What has been told of each utterance. */
export type Predictions = {
  /** Takes in an utterance's evidence; true when the utterance is new. What is too old to be remembered counts as final. */
  learn(measured: UtteranceMeasured): boolean;
  isFinal(utteranceId: string): boolean;
  /** The answers to tell of what the model returned. */
  tell(predictions: readonly Prediction[], telling: Telling): readonly UtteranceDraft[];
  /** The final answer `revised` by the text or speaker that came after it; nothing when neither changed. */
  tellLate(measured: UtteranceMeasured): readonly UtteranceDraft[];
  /** Erases the text of all that is remembered of a speaker. */
  forgetText(speaker: Speaker): void;
};

type Told = { record: UtteranceRecord; availability: PerModality<Availability>; last?: UtteranceDraft };

/** How many final utterances can still be given text or a speaker. */
const MAX_FINAL = 256;

/**
 * Returns a memory of what was told, with the utterances of the window and the last 256 final ones.
 * @param threshold By how much a probability must move for the answer to be told again.
 */
export function createPredictions(labels: readonly string[], threshold: number): Predictions {
  const open = new Map<string, Told>();
  const final = new Map<string, Told>();

  const keepFinal = (id: string, told: Told): void => {
    open.delete(id);
    final.set(id, told);
    const oldest = final.size > MAX_FINAL ? final.keys().next().value : undefined;
    if (oldest !== undefined) final.delete(oldest);
  };
  const statusOf = (told: Told, draft: UtteranceDraft, isFinal: boolean): UtteranceStatus | undefined => {
    if (isFinal) return 'final';
    if (told.last === undefined) return 'provisional';
    return isRevision(told.last, draft, threshold) ? 'revised' : undefined;
  };
  const tellOne = (prediction: Prediction, telling: Telling): readonly UtteranceDraft[] => {
    const told = open.get(prediction.utteranceId);
    if (told === undefined) return [];
    const isFirst = told.last === undefined;
    const drafts: UtteranceDraft[] = [];
    for (const isFinal of isFirst && prediction.isFinal ? [false, true] : [prediction.isFinal]) {
      const draft = toDraft(labels, told, prediction, telling);
      const status = statusOf(told, draft, isFinal);
      if (status === undefined) continue;
      told.last = { ...draft, status };
      drafts.push(told.last);
    }
    if (prediction.isFinal) keepFinal(prediction.utteranceId, told);
    return drafts;
  };

  return {
    learn: ({ record, evidence, isNew }) => {
      const { id } = record.utterance;
      const known = open.get(id);
      if (known) Object.assign(known, { record, availability: evidence.availability });
      else if (isNew) open.set(id, { record, availability: evidence.availability });
      return isNew;
    },
    isFinal: (id) => !open.has(id),
    tell: (predictions, telling) => predictions.flatMap((prediction) => tellOne(prediction, telling)),
    tellLate: ({ record, arrivalMs }) => {
      const { utterance, text } = record;
      const told = final.get(utterance.id);
      const last = told?.last;
      if (told === undefined || last === undefined) return [];
      if (last.text === text && last.speaker.id === utterance.speaker.id) return [];
      const revision = last.revision + 1;
      const availability = { ...last.availability, text: lateText(told, record) };
      const late = { text, speaker: utterance.speaker, availability, atMs: arrivalMs, revision, computeMs: 0 };
      told.last = { ...last, ...late, status: 'revised', latencyMs: Math.max(0, arrivalMs - utterance.endMs) };
      return [told.last];
    },
    forgetText: (speaker) => {
      for (const told of [...open.values(), ...final.values()]) {
        if (!isSameSpeaker(told.record.utterance.speaker, speaker)) continue;
        told.record = { ...told.record, text: null };
        if (told.last) told.last = { ...told.last, text: null };
      }
    },
  };
}

/** What the model saw of a text that grew after it had answered: the share of its characters. */
function lateText(told: Told, { text, language }: UtteranceRecord): Availability {
  if (language !== undefined) return { share: 0, reason: 'language' };
  const seen = told.record.text?.length ?? 0;
  const all = text?.length ?? 0;
  const { text: before } = told.availability;
  return all <= seen || before.reason === 'not_in_weights' ? before : { share: seen / all, reason: 'late_text' };
}

function toDraft(labels: readonly string[], told: Told, prediction: Prediction, telling: Telling): UtteranceDraft {
  const { utterance, text } = told.record;
  let top = 0;
  for (const [index, probability] of prediction.probabilities.entries()) {
    if (probability > (prediction.probabilities[top] ?? 0)) top = index;
  }
  return {
    type: 'utterance',
    atMs: telling.atMs,
    utteranceId: utterance.id,
    status: 'provisional',
    revision: told.last === undefined ? 0 : told.last.revision + 1,
    speaker: utterance.speaker,
    startMs: utterance.startMs,
    endMs: utterance.endMs,
    text,
    label: labels[top] ?? '',
    confidence: prediction.probabilities[top] ?? 0,
    probabilities: Object.fromEntries(labels.map((label, index) => [label, prediction.probabilities[index] ?? 0])),
    modalityWeights: prediction.weights,
    availability: told.availability,
    lookAhead: prediction.lookAhead,
    latencyMs: Math.max(0, telling.atMs - utterance.endMs),
    computeMs: telling.computeMs,
  };
}

function isRevision(last: UtteranceDraft, next: UtteranceDraft, threshold: number): boolean {
  if (last.label !== next.label || last.text !== next.text || last.speaker.id !== next.speaker.id) return true;
  const hasMoved = Object.entries(next.probabilities).some(
    ([label, probability]) => Math.abs(probability - (last.probabilities[label] ?? 0)) > threshold,
  );
  return hasMoved || MODALITIES.some((modality) => !isSame(last.availability[modality], next.availability[modality]));
}

function isSame(a: Availability, b: Availability): boolean {
  return a.share === b.share && a.reason === b.reason;
}
