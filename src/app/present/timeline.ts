import type { ModalityInsight, UtteranceInsight } from '../../domain/insight.ts';
import { MODALITIES, type MissingReason, type Modality } from '../../domain/modality.ts';

/** What is kept of a final utterance for the timeline and the captions. */
export type FinalUtterance = Pick<
  UtteranceInsight,
  'speaker' | 'startMs' | 'endMs' | 'text' | 'label' | 'confidence' | 'modalityWeights' | 'availability'
>;

/** What a timeline is drawn from, utterances and changes in any order. The axis grows to the last utterance's end. */
export type TimelineInput = {
  readonly utterances: readonly FinalUtterance[];
  readonly modalityChanges: readonly ModalityInsight[];
  readonly durationMs: number;
};

/** A span of session time. */
export type Stretch = { readonly startMs: number; readonly endMs: number };

/** A stretch of the session during which a modality of a speaker was missing. */
export type MissingStretch = Stretch & { readonly modality: Modality; readonly reason: MissingReason | undefined };

/**
 * Returns when which modality of a speaker was missing, by modality and then time: from each insight that says `absent`
 * to the next about that modality (or the end), and each utterance outside these that had nothing of the modality.
 */
export function missingStretches(speakerId: string, input: TimelineInput): readonly MissingStretch[] {
  const changes = input.modalityChanges
    .filter(({ speaker }) => speaker === undefined || speaker.id === speakerId)
    .toSorted((a, b) => a.atMs - b.atMs);
  const own = input.utterances
    .filter(({ speaker }) => speaker.id === speakerId)
    .toSorted((a, b) => a.startMs - b.startMs);
  return MODALITIES.flatMap((modality) => {
    const announced = announcedStretches(modality, changes, input.durationMs);
    return [...announced, ...utteranceStretches(modality, own, announced)].toSorted((a, b) => a.startMs - b.startMs);
  });
}

function announcedStretches(modality: Modality, changes: readonly ModalityInsight[], endMs: number): MissingStretch[] {
  const own = changes.filter((change) => change.modality === modality);
  return own.flatMap((change, index) => {
    const untilMs = Math.min(own[index + 1]?.atMs ?? endMs, endMs);
    if (change.state === 'present' || untilMs <= change.atMs) return [];
    return [{ modality, startMs: change.atMs, endMs: untilMs, reason: change.reason }];
  });
}

/** `own` and `announced` are in order of time, so one walk over both finds what is not covered. */
function utteranceStretches(
  modality: Modality,
  own: readonly FinalUtterance[],
  announced: readonly MissingStretch[],
): MissingStretch[] {
  let next = 0;
  return own.flatMap(({ startMs, endMs, availability }) => {
    while ((announced[next]?.endMs ?? Infinity) <= startMs) next += 1;
    const isCovered = (announced[next]?.startMs ?? Infinity) < endMs;
    const { share, reason } = availability[modality];
    return share > 0 || isCovered ? [] : [{ modality, startMs, endMs, reason }];
  });
}
