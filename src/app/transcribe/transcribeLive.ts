import { Observable } from 'rxjs';
import type { Observation } from '../../domain/observation.ts';
import { createTranscription, type TranscriptionOptions } from './transcription.ts';

/**
 * Emits each observation of a live session at once and, in between, the transcripts that recognizers give of its voice:
 * they arrive at the session time at which they come, which is that of the latest observation, so the order of arrival
 * holds. Nothing waits for a recognizer; text that comes later revises. Words of captions that are replaced by those of a
 * recognizer are left out. On complete the last finals follow first; on error
 * recognition ends and the error passes at once. Unsubscribing ends recognition.
 */
export function transcribeLive(
  observations$: Observable<Observation>,
  options: Omit<TranscriptionOptions, 'onResult'>,
): Observable<Observation> {
  return new Observable((subscriber) => {
    let clockMs = 0;
    let isHearing = false;
    const flush = (): void => {
      if (isHearing) return;
      for (const said of transcription.drain(clockMs)) subscriber.next(said);
    };
    const transcription = createTranscription({ ...options, onResult: flush });
    const subscription = observations$.subscribe({
      next: (observation) => {
        clockMs = Math.max(clockMs, observation.arrivalMs);
        if (!transcription.isReplaced(observation)) subscriber.next(observation);
        isHearing = true;
        transcription.hear(observation);
        isHearing = false;
        flush();
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => {
        transcription.end().then(
          () => {
            flush();
            subscriber.complete();
          },
          (error: unknown) => subscriber.error(error),
        );
      },
    });
    return () => {
      subscription.unsubscribe();
      transcription.close();
    };
  });
}
