import { concat, defer, map, of, type OperatorFunction } from 'rxjs';
import type { Insight, SessionInsight } from '../domain/insight.ts';
import type { InsightDraft } from './signal.ts';

/** Emits `session` at subscription, then each insight, numbered 1, 2, 3 …. Complete and error pass at once. */
export function numberInsights(session: Omit<SessionInsight, 'seq'>): OperatorFunction<InsightDraft, Insight> {
  return (drafts$) =>
    defer(() => {
      let seq = 0;
      return concat(of(session), drafts$).pipe(map((draft): Insight => ({ ...draft, seq: ++seq })));
    });
}
