import { Observable } from 'rxjs';
import type { VisionModality } from '../../adapter.ts';
import type { Modality } from '../../domain/modality.ts';
import type { ConsentChanged, Observation, StreamOpened } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';
import { setBounded } from '../../operators/bounded.ts';
import type { SourceEvent } from '../../server/ingest/sourceEvent.ts';
import type { Looking } from '../models/openLooking.ts';
import { type Timers, WALL_TIMERS } from '../transcribe/connection.ts';
import { createLiveEye, type LiveEye, type Told } from './liveEye.ts';

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

/** Streams of one session that are looked at; a server's extractor takes 64 in all. */
const MAX_EYES = 32;
const MAX_SPEAKERS = 512;
const END_MS = 2_000;

type Watched = { readonly speaker: Speaker | undefined; sought: readonly VisionModality[]; eye?: LiveEye | undefined };

/**
 * Returns the pictures of a session: those of each video stream go to a place of their own in the extractor, for what everybody
 * whom the stream shows allows, and nothing else is looked for. When that changes, what is on its way is let go at once.
 * Without `looking` pictures are let go unread.
 */
export function createLivePictures(looking: Looking | undefined, timers: Timers = WALL_TIMERS): LivePictures {
  if (!looking) return { take: ({ type }) => type === 'picture', mergeInto: (observations$) => observations$ };
  const watched = new Map<string, Watched>();
  const allowed = new Map<string, readonly Modality[]>();
  const ending = new Map<Watched, Promise<void>>();
  let emit: ((observation: Observation) => void) | undefined;
  let clockMs = 0;

  const tell = (told: Told): void => emit?.({ ...told, arrivalMs: clockMs });
  const soughtOf = (speaker: Speaker | undefined): readonly VisionModality[] => {
    const everybody = speaker ? [allowed.get(speaker.id)] : [...allowed.values()];
    return looking.modalities.filter((modality) => everybody.every((one) => one?.includes(modality) ?? true));
  };
  const open = ({ streamId, speaker }: StreamOpened): void => {
    if (watched.size < MAX_EYES) watched.set(streamId, { speaker, sought: soughtOf(speaker) });
    else tell({ type: 'fault', streamId, code: 'LIMIT_EXCEEDED', message: `at most ${MAX_EYES} pictures at once` });
  };
  const obey = ({ speaker, modalities }: ConsentChanged): void => {
    setBounded(allowed, speaker.id, modalities, MAX_SPEAKERS);
    for (const one of [...watched.values(), ...ending.keys()]) {
      const sought = soughtOf(one.speaker);
      if (sought.join() === one.sought.join()) continue;
      one.eye?.close();
      Object.assign(one, { sought, eye: undefined });
    }
  };
  const look = (streamId: string, picture: { readonly atMs: number; readonly jpeg: Uint8Array }): void => {
    const one = watched.get(streamId);
    if (!one || one.sought.length === 0) return;
    one.eye ??= createLiveEye({ extractor: looking.extractor, modalities: one.sought, streamId, tell });
    one.eye.look({ atMs: picture.atMs, jpeg: picture.jpeg });
  };
  const close = (streamId: string): void => {
    const one = watched.get(streamId);
    watched.delete(streamId);
    if (!one?.eye) return;
    ending.set(
      one,
      one.eye.end().finally(() => ending.delete(one)),
    );
  };
  const finish = async (): Promise<void> => {
    for (const streamId of [...watched.keys()]) close(streamId);
    let cancel = (): void => undefined;
    const tooLong = new Promise<void>((resolve) => (cancel = timers.after(END_MS, resolve)));
    await Promise.race([Promise.all(ending.values()), tooLong]);
    cancel();
  };

  return {
    take: (event) => {
      if (event.type === 'streamOpened' && event.kind === 'video') open(event);
      else if (event.type === 'consent') obey(event);
      else if (event.type === 'streamClosed') close(event.streamId);
      else if (event.type === 'picture') look(event.streamId, event);
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
          complete: () => void finish().then(() => subscriber.complete()),
        });
        return () => {
          emit = undefined;
          subscription.unsubscribe();
          for (const { eye } of [...watched.values(), ...ending.keys()]) eye?.close();
          watched.clear();
        };
      }),
  };
}
