import { Subject, type Observable } from 'rxjs';
import type { Insight } from '../domain/insight.ts';
import { type ErrorCode, isUndertoneError } from '../errors.ts';
import type { EndReason } from '../protocol/live.ts';
import type { SourceEvent } from './ingest/sourceEvent.ts';

/** What analyzes the sessions of a server. `onTaken` is called when an event has been taken in. */
export type Analyze = (events$: Observable<SourceEvent>, onTaken: () => void) => Observable<Insight>;

/** The analysis of one session. */
export type Analysis = {
  /** Events that wait to be taken in. */
  readonly waiting: number;
  /** How long the first of them has waited, in ms; 0 without any. */
  readonly lateMs: number;
  /** Why it is over; undefined while it runs. */
  readonly ended: EndReason | undefined;
  /** Passes events on; those that come after the end are let go. */
  pass(events: readonly SourceEvent[]): void;
  /** Passes on the rest and ends. Resolves when all is concluded. */
  end(reason: EndReason, rest: readonly SourceEvent[]): Promise<void>;
};

/** Who is told what is concluded. What `insight` throws ends the analysis as a failure of its own does. */
export type Conclusions = {
  readonly insight: (insight: Insight) => void;
  readonly failed: (code: ErrorCode) => void;
  readonly ended: () => void;
};

/** Starts the analysis of a session. Its failure is told and ends it (`failed`), and touches nothing else. `now`: wall time in ms. */
export function startAnalysis(analyze: Analyze, conclusions: Conclusions, now: () => number): Analysis {
  const events$ = new Subject<SourceEvent>();
  /** When each event that waits was passed on. */
  const waitingSinceMs: number[] = [];
  let reason: EndReason = 'bye';
  let ended: EndReason | undefined;
  let resolve: () => void = () => undefined;
  const over = new Promise<void>((done) => (resolve = done));
  const settle = (): void => {
    if (ended !== undefined) return;
    ended = reason;
    conclusions.ended();
    resolve();
  };
  const fail = (error: unknown): void => {
    conclusions.failed(isUndertoneError(error) ? error.code : 'INTERNAL');
    reason = 'failed';
    settle();
  };
  const tell = (insight: Insight): void => {
    try {
      if (ended === undefined) conclusions.insight(insight);
    } catch (error) {
      fail(error);
    }
  };
  const subscription = analyze(events$, () => void waitingSinceMs.shift()).subscribe({
    next: tell,
    error: fail,
    complete: settle,
  });
  const pass = (events: readonly SourceEvent[]): void => {
    if (ended !== undefined) return;
    if (events.length === 0) return;
    const nowMs = now();
    for (let n = 0; n < events.length; n++) waitingSinceMs.push(nowMs);
    for (const event of events) events$.next(event);
  };
  return {
    get waiting() {
      return waitingSinceMs.length;
    },
    get lateMs() {
      const [sinceMs] = waitingSinceMs;
      return sinceMs === undefined ? 0 : now() - sinceMs;
    },
    get ended() {
      return ended;
    },
    pass,
    end: async (why, rest) => {
      if (ended === undefined) reason = why;
      pass(rest);
      events$.complete();
      await over;
      subscription.unsubscribe();
    },
  };
}
