import type { Insight } from '../domain/insight.ts';
import { createInsightLog, type InsightLog } from './insightLog.ts';

/** The insights of a session on their way out: a log, and those who want to know when it has grown. */
export type InsightFeed = {
  readonly log: InsightLog;
  tell(insight: Insight): void;
  /** Tells the listeners that nothing more comes, and forgets them. */
  end(): void;
  /** Calls `onNews` after each insight, and at the end. Returns what stops it. */
  readonly listen: (onNews: () => void) => () => void;
};

/** Returns a feed that keeps at most `backlog` insights. */
export function createInsightFeed(backlog: number): InsightFeed {
  const log = createInsightLog(backlog);
  const listeners = new Set<() => void>();
  const announce = (): void => {
    for (const onNews of listeners) onNews();
  };
  return {
    log,
    tell: (insight) => {
      log.append(insight);
      announce();
    },
    end: () => {
      announce();
      listeners.clear();
    },
    listen: (onNews) => {
      listeners.add(onNews);
      return () => listeners.delete(onNews);
    },
  };
}
