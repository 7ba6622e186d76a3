import type { VisionModality } from '../../adapter.ts';
import type { Modality } from '../../domain/modality.ts';
import type { ConsentChanged, StreamOpened } from '../../domain/observation.ts';
import type { Speaker } from '../../domain/speaker.ts';
import { setBounded } from '../../operators/bounded.ts';
import type { Looking } from '../models/openLooking.ts';
import { createLiveEye, type LiveEye, type Told } from './liveEye.ts';

/** The eyes of one live session: one for each of its streams of pictures. */
export type Eyes = {
  open(stream: Pick<StreamOpened, 'streamId' | 'speaker'>): void;
  /** Looks from now on for what everybody whom a stream shows allows, and lets go of what is on its way otherwise. */
  obey(consent: Pick<ConsentChanged, 'speaker' | 'modalities'>): void;
  look(streamId: string, picture: { readonly atMs: number; readonly jpeg: Uint8Array }): void;
  /** No more pictures come of a stream: its last one is still looked at. */
  end(streamId: string): void;
  /** Ends all streams; resolves when their last pictures were looked at. */
  endAll(): Promise<void>;
  /** Closes all at once; nothing more is told. */
  close(): void;
};

/** Streams of one session that are looked at; a server's extractor takes 64 in all. */
const MAX_EYES = 32;
const MAX_SPEAKERS = 512;

type Watched = { readonly speaker: Speaker | undefined; sought: readonly VisionModality[]; eye?: LiveEye | undefined };

/** Returns the eyes of a session without streams. Each takes a place in the extractor with its first picture. */
export function createEyes({ extractor, modalities }: Looking, tell: (told: Told) => void): Eyes {
  const watched = new Map<string, Watched>();
  const allowed = new Map<string, readonly Modality[]>();
  const ending = new Map<Watched, Promise<void>>();

  const soughtOf = (speaker: Speaker | undefined): readonly VisionModality[] => {
    const everybody = speaker ? [allowed.get(speaker.id)] : [...allowed.values()];
    return modalities.filter((modality) => everybody.every((one) => one?.includes(modality) ?? true));
  };
  const end = (streamId: string): void => {
    const one = watched.get(streamId);
    watched.delete(streamId);
    if (!one?.eye) return;
    const ended = one.eye.end().finally(() => ending.delete(one));
    ending.set(one, ended);
  };
  return {
    open: ({ streamId, speaker }) => {
      if (watched.size < MAX_EYES) watched.set(streamId, { speaker, sought: soughtOf(speaker) });
      else tell({ type: 'fault', streamId, code: 'LIMIT_EXCEEDED', message: `at most ${MAX_EYES} pictures at once` });
    },
    obey: ({ speaker, modalities: agreed }) => {
      setBounded(allowed, speaker.id, agreed, MAX_SPEAKERS);
      for (const one of [...watched.values(), ...ending.keys()]) {
        const sought = soughtOf(one.speaker);
        if (sought.join() === one.sought.join()) continue;
        one.eye?.close();
        Object.assign(one, { sought, eye: undefined });
      }
    },
    look: (streamId, { atMs, jpeg }) => {
      const one = watched.get(streamId);
      if (!one || one.sought.length === 0) return;
      one.eye ??= createLiveEye({ extractor, modalities: one.sought, streamId, tell });
      one.eye.look({ atMs, jpeg });
    },
    end,
    endAll: async () => {
      for (const streamId of [...watched.keys()]) end(streamId);
      await Promise.all(ending.values());
    },
    close: () => {
      for (const { eye } of [...watched.values(), ...ending.keys()]) eye?.close();
      watched.clear();
    },
  };
}
