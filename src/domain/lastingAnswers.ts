import type { UtteranceInsight } from './insight.ts';

/** Tells which answers stay: the `final` of each utterance, and what is revised of it after that (late text, a late speaker). */
export type LastingAnswers = {
  /** Whether nothing is bound to replace this answer. Ask once for each answer, in order. */
  isLasting(answer: Pick<UtteranceInsight, 'utteranceId' | 'status'>): boolean;
};

/** As many final utterances as can still be given text or a speaker. */
const MAX_REMEMBERED = 256;

/** Returns a memory of which utterances are final: the last 256 of them. */
export function createLastingAnswers(): LastingAnswers {
  const finals = new Set<string>();
  return {
    isLasting: ({ utteranceId, status }) => {
      if (status !== 'final') return finals.has(utteranceId);
      finals.add(utteranceId);
      const oldest = finals.size > MAX_REMEMBERED ? finals.values().next().value : undefined;
      if (oldest !== undefined) finals.delete(oldest);
      return true;
    },
  };
}
