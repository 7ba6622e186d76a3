import type { Insight } from '../domain/insight.ts';
import { createLastingAnswers } from '../domain/lastingAnswers.ts';
import { encodeInsight } from '../protocol/insight.ts';

/**
 * An insight and its line on the wire. `isDroppable`: a later one is bound to replace it. `isPassing`: it is, and it is not the
 * first answer to its utterance either.
 */
export type LoggedInsight = {
  readonly seq: number;
  readonly line: string;
  readonly isDroppable: boolean;
  readonly isPassing: boolean;
};

/** The latest insights of a session, for consumers that come, come back or fall behind. */
export type InsightLog = {
  append(insight: Insight): LoggedInsight;
  /** The insight with this `seq`; undefined when it is not held any more, or not yet. */
  at(seq: number): LoggedInsight | undefined;
  /** The `seq` of the first that is still held, or of the next when there is none. */
  readonly firstSeq: number;
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
      const isPassing = isDroppable && !(insight.type === 'utterance' && insight.revision === 0);
      const logged = { seq: insight.seq, line: encodeInsight(insight), isDroppable, isPassing };
      held.push(logged);
      chars += logged.line.length;
      lastSeq = insight.seq;
      while (held.length > limit || (chars > MAX_CHARS && held.length > 1)) chars -= held.shift()?.line.length ?? 0;
      return logged;
    },
    // seq has no holes, so the place is known.
    at: (seq) => held[seq - (held[0]?.seq ?? 0)],
    get firstSeq() {
      return held[0]?.seq ?? lastSeq + 1;
    },
    get lastSeq() {
      return lastSeq;
    },
  };
}
