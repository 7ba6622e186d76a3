import type { Insight } from '../domain/insight.ts';
import type { EndReason } from '../protocol/live.ts';
import { createInsightLog, type InsightLog, type LoggedInsight } from './insightLog.ts';

/** Someone who reads the insights of a session as they come. */
export type Listener = {
  readonly insight: (insight: LoggedInsight) => void;
  readonly ended: (reason: EndReason) => void;
};

/** The insights of a session on their way out: kept for those who come later, told to those who listen. */
export type InsightFeed = {
  readonly log: InsightLog;
  tell(insight: Insight): void;
  end(reason: EndReason): void;
  /** Returns what stops it. */
  readonly listen: (listener: Listener) => () => void;
};

/** Returns a feed that keeps at most `backlog` insights. */
export function createInsightFeed(backlog: number): InsightFeed {
  const log = createInsightLog(backlog);
  const listeners = new Set<Listener>();
  return {
    log,
    tell: (insight) => {
      const logged = log.append(insight);
      for (const listener of listeners) listener.insight(logged);
    },
    end: (reason) => {
      for (const listener of listeners) listener.ended(reason);
      listeners.clear();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
