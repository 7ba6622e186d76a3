import { Observable } from 'rxjs';
import type { Observation } from '../../domain/observation.ts';
import type { SourceEvent } from '../../server/ingest/sourceEvent.ts';
import type { Looking } from '../models/openLooking.ts';
import { type Timers, WALL_TIMERS } from '../transcribe/timers.ts';
import { createEyes } from './eyes.ts';

/** The pictures of one live session. */
export type LivePictures = {
  /** Takes note of what producers sent; of a picture nothing more is to be done: returns whether it was one. */
  take(event: SourceEvent): boolean;
  /**
   * Emits each observation at once and, in between, what was seen in pictures, which arrives when it is known: nothing waits
   * for it. On complete what is on its way follows first, for at most 2 s; on error, or unsubscribed, looking ends at once.
   */
  mergeInto(observations$: Observable<Observation>): Observable<Observation>;
};

const END_MS = 2_000;

/**
 * Returns the pictures of a session: those of each video stream go to a place of their own in the extractor, for what everybody
 * whom the stream shows allows, and nothing else is looked for. When that changes, what is on its way is let go at once.
 * Without `looking` pictures are let go unread.
 */
export function createLivePictures(looking: Looking | undefined, timers: Timers = WALL_TIMERS): LivePictures {
  if (!looking) return { take: ({ type }) => type === 'picture', mergeInto: (observations$) => observations$ };
  let emit: ((observation: Observation) => void) | undefined;
  let clockMs = 0;
  const eyes = createEyes(looking, (told) => emit?.({ ...told, arrivalMs: clockMs }));
  return {
    take: (event) => {
      if (event.type === 'streamOpened' && event.kind === 'video') eyes.open(event);
      else if (event.type === 'consent') eyes.obey(event);
      else if (event.type === 'streamClosed') eyes.end(event.streamId);
      else if (event.type === 'picture') eyes.look(event.streamId, event);
      return event.type === 'picture';
    },
    mergeInto: (observations$) =>
      new Observable((subscriber) => {
        emit = (observation) => subscriber.next(observation);
        const subscription = observations$.subscribe({
          next: (observation) => {
            clockMs = Math.max(clockMs, observation.arrivalMs);
            subscriber.next(observation);
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => void within(END_MS, eyes.endAll(), timers).then(() => subscriber.complete()),
        });
        return () => {
          emit = undefined;
          subscription.unsubscribe();
          eyes.close();
        };
      }),
  };
}

/** Resolves with `work`, or after `limitMs` if that takes longer. */
async function within(limitMs: number, work: Promise<void>, timers: Timers): Promise<void> {
  let cancel = (): void => undefined;
  const tooLong = new Promise<void>((resolve) => (cancel = timers.after(limitMs, resolve)));
  await Promise.race([work, tooLong]);
  cancel();
}
