import type { SourceEvent, TimedEvent } from './sourceEvent.ts';

/** An event that waits for its turn. `rank`: of its stream, in order of opening. `sinceMs`: wall time. */
export type HeldEvent = TimedEvent & { readonly rank: number; readonly sinceMs: number };

/** The events of a session on their way out: those that wait for their turn, and those that have had it. */
export type HeldEvents = {
  /** The session clock: the latest time of what has had its turn. */
  readonly clockMs: number;
  /** How many wait. */
  readonly size: number;
  hold(event: HeldEvent): void;
  /** It is the turn of those that are due, in order of their times, then ranks, then arrival. */
  release(isDue: (event: HeldEvent) => boolean): void;
  /** Something that overtakes whatever waits, at its time or, when the clock is past that, now. */
  emit(event: TimedEvent): void;
  /** Takes out what has had its turn. */
  take(): readonly SourceEvent[];
};

const NONE: readonly SourceEvent[] = [];

/**
 * Returns the events of a session in which nothing has happened. `latestMs` bounds the clock: nothing can have been heard
 * that has not happened yet, whatever a producer says of its time.
 */
export function createHeldEvents(latestMs: () => number): HeldEvents {
  let held: HeldEvent[] = [];
  let out: SourceEvent[] = [];
  let clockMs = 0;
  const emit = ({ event, atMs }: TimedEvent): void => {
    clockMs = Math.max(clockMs, Math.min(atMs, latestMs()));
    // The event is ours alone, and a copy of each piece of media would cost more than all else that is done here.
    out.push(Object.assign(event, { arrivalMs: clockMs }));
  };
  return {
    get clockMs() {
      return clockMs;
    },
    get size() {
      return held.length;
    },
    hold: (event) => void held.push(event),
    release: (isDue) => {
      if (!held.some(isDue)) return;
      const due: HeldEvent[] = [];
      const kept: HeldEvent[] = [];
      for (const one of held) (isDue(one) ? due : kept).push(one);
      held = kept;
      // They are in order of arrival, and sorting is stable.
      if (due.length > 1) due.sort((a, b) => a.atMs - b.atMs || a.rank - b.rank);
      due.forEach(emit);
    },
    emit,
    take: () => {
      if (out.length === 0) return NONE;
      const taken = out;
      out = [];
      return taken;
    },
  };
}
