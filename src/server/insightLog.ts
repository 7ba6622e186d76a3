import type { Insight } from '../domain/insight.ts';
import { createLastingAnswers } from '../domain/lastingAnswers.ts';
import { encodeInsight } from '../protocol/insight.ts';

/** An insight and its line on the wire. `isDroppable`: a later one is bound to replace it. */
export type LoggedInsight = { readonly seq: number; readonly line: string; readonly isDroppable: boolean };

/** The latest insights of a session, for consumers that come, come back or fall behind. */
export type InsightLog = {
  append(insight: Insight): LoggedInsight;
  /** Those after `seq` that are still held, and the first `seq` that is. */
  after(seq: number): { readonly insights: readonly LoggedInsight[]; readonly firstSeq: number };
  /** The `seq` of the last insight; 0 before the first. */
  readonly lastSeq: number;
};

/** The most bytes of lines that a log holds, whatever its number of insights. */
const MAX_CHARS = 16 * 1024 * 1024;

/** Returns an empty log of at most `limit` insights; the oldest go first. */
export function createInsightLog(limit: number): InsightLog {
  const held: LoggedInsight[] = [];
  const answers = createLastingAnswers();
  let chars = 0;
  let lastSeq = 0;
  return {
    append: (insight) => {
      const isDroppable = insight.type === 'interim' || (insight.type === 'utterance' && !answers.isLasting(insight));
      const logged = { seq: insight.seq, line: encodeInsight(insight), isDroppable };
      held.push(logged);
      chars += logged.line.length;
      lastSeq = insight.seq;
      while (held.length > limit || (chars > MAX_CHARS && held.length > 1)) chars -= held.shift()?.line.length ?? 0;
      return logged;
    },
    after: (seq) => {
      const firstSeq = held[0]?.seq ?? lastSeq + 1;
      // seq has no holes, so the place is known.
      return { insights: held.slice(Math.max(0, seq + 1 - firstSeq)), firstSeq };
    },
    get lastSeq() {
      return lastSeq;
    },
  };
}
