import { isUndertoneError } from '../../errors.ts';
import type { Producer } from '../producer.ts';
import type {
  CreateLandmarkSource,
  LandmarkAssets,
  LandmarkModality,
  LandmarkSighting,
  LandmarkSource,
  LandmarkSourceOptions,
} from './landmarkSource.ts';
import type { StreamSlot } from './streamSlot.ts';

/** What reads the pictures, and who is told what it says. */
export type LookoutOptions = {
  /** Where the models and the WebAssembly of the reader are served. */
  readonly assets: LandmarkAssets;
  /** What makes rows of pictures: MediaPipe in a module worker, loaded when it is first needed, unless given. */
  readonly createSource?: CreateLandmarkSource;
  /** What was seen, before it is sent. */
  readonly onSightings?: (sightings: readonly LandmarkSighting[]) => void;
  readonly onFault?: LandmarkSourceOptions['onFault'];
};

/** What looks at a track for those modalities that may be looked for, and sends what it sees. */
export type Lookout = {
  /** Looks at this track from now on; at nothing without one. */
  look(track: MediaStreamTrack | undefined): void;
  close(): void;
};

/** How often the server is told that nothing can be read; streams that say nothing for 800 ms have stalled. */
const SIGHTLESS_MS = 500;

/**
 * Returns a lookout that looks at nothing. Its source is made when there is a track and something may be looked for, and made
 * anew when that changes, so that the model of what may not be looked for is not there. Where there is no model or no source
 * can be made, the server is told so while there is a track.
 */
export function createLookout(
  producer: Producer,
  slots: ReadonlyMap<LandmarkModality, StreamSlot>,
  { assets, createSource = loadSource, onSightings, onFault }: LookoutOptions,
): Lookout {
  let source: LandmarkSource | undefined;
  let track: MediaStreamTrack | undefined;
  let wanted = '';
  /** Why a modality cannot be read at all. */
  const sightless = new Map<LandmarkModality, 'no_extractor' | 'vision_down'>();
  /** Rises with each source that is asked for, so that one that comes too late is let go. */
  let turn = 0;
  const send = (sighting: LandmarkSighting): void => {
    const streamId = slots.get(sighting.modality)?.streamId;
    if (streamId === undefined) return;
    const mediaMs = Math.max(0, producer.mediaMs - (performance.now() - sighting.atMs));
    if ('row' in sighting) producer.sendLandmarks(streamId, sighting.row, mediaMs);
    else producer.sendSightless(streamId, sighting.reason, mediaMs);
  };
  const tell = (sightings: readonly LandmarkSighting[]): void => {
    if (!track) return;
    onSightings?.(sightings);
    sightings.forEach(send);
  };
  const open = async (modalities: readonly LandmarkModality[]): Promise<void> => {
    const mine = turn;
    const callbacks = {
      onSightings: (sightings: readonly LandmarkSighting[]) => mine === turn && tell(sightings),
      ...(onFault && { onFault }),
    };
    try {
      const opened = await createSource({ modalities, assets, ...callbacks });
      if (mine !== turn) return opened.close();
      source = opened;
      if (track) opened.start(track);
    } catch (error) {
      if (mine !== turn) return;
      for (const modality of modalities) sightless.set(modality, 'vision_down');
      const message = error instanceof Error ? error.message : 'the reader of pictures did not start';
      onFault?.({ code: isUndertoneError(error) ? error.code : 'VISION_DOWN', message });
    }
  };
  const close = (): void => {
    turn++;
    source?.close();
    source = undefined;
    sightless.clear();
  };
  const refresh = (): void => {
    if (!track) return;
    const now = [...slots].filter(([, slot]) => slot.isWanted).map(([modality]) => modality);
    if (now.join() === wanted) return;
    wanted = now.join();
    close();
    for (const modality of now) if (assets.models[modality] === undefined) sightless.set(modality, 'no_extractor');
    const read = now.filter((modality) => assets.models[modality] !== undefined);
    if (read.length > 0) void open(read);
  };
  const timer = setInterval(() => {
    const atMs = performance.now();
    if (sightless.size > 0) tell([...sightless].map(([modality, reason]) => ({ modality, atMs, reason })));
  }, SIGHTLESS_MS);
  const unfollow = producer.on('policy', refresh);
  return {
    look: (next) => {
      track = next;
      if (next) source?.start(next);
      else source?.stop();
      refresh();
    },
    close: () => {
      unfollow();
      clearInterval(timer);
      track = undefined;
      close();
    },
  };
}

/** It is large, so pages without a camera do not load it. */
const loadSource: CreateLandmarkSource = async (options) =>
  (await import('./vision/createLandmarkSource.ts')).createLandmarkSource(options);
