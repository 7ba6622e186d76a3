import type { Insight, ModalityInsight, UtteranceInsight } from '../domain/insight.ts';
import type { Modality } from '../domain/modality.ts';

/** How a modality of the conversation stands, as far as it was said. */
export type Presence = Pick<ModalityInsight, 'state' | 'reason'>;

/** What is known of a conversation from its insights. */
export type Board = {
  /** Takes an insight; returns the id of the utterance that is new or has changed, if one is. */
  take(insight: Insight): string | undefined;
  /** The latest answer about each of the last utterances, the newest first. */
  readonly utterances: readonly UtteranceInsight[];
  /** What was said last of a modality of `speakerId`, or of everybody. */
  presenceOf(modality: Modality, speakerId: string): Presence | undefined;
};

/** Returns a board of which nothing is known; it keeps at most `maxUtterances`, the newest ones. */
export function createBoard(maxUtterances: number): Board {
  const utterances = new Map<string, UtteranceInsight>();
  const presences = new Map<string, Presence>();
  const takeUtterance = (insight: UtteranceInsight): string | undefined => {
    const known = utterances.get(insight.utteranceId);
    if (known && known.revision >= insight.revision) return undefined;
    utterances.set(insight.utteranceId, insight);
    const [oldest] = [...utterances.values()].sort((a, b) => a.startMs - b.startMs);
    if (utterances.size > maxUtterances && oldest) utterances.delete(oldest.utteranceId);
    return insight.utteranceId;
  };
  return {
    take: (insight) => {
      if (insight.type === 'utterance') return takeUtterance(insight);
      if (insight.type === 'modality') presences.set(keyOf(insight.modality, insight.speaker?.id), insight);
      return undefined;
    },
    get utterances() {
      return [...utterances.values()].sort((a, b) => b.startMs - a.startMs);
    },
    presenceOf: (modality, speakerId) =>
      presences.get(keyOf(modality, speakerId)) ?? presences.get(keyOf(modality, undefined)),
  };
}

function keyOf(modality: Modality, speakerId: string | undefined): string {
  return `${modality} ${speakerId ?? ''}`;
}
