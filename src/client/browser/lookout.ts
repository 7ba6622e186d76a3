import type { Producer } from '../producer.ts';
import { createLandmarkReader, type LandmarkReaderOptions } from './landmarkReader.ts';
import type { LandmarkModality, LandmarkSighting } from './landmarkSource.ts';
import type { StreamSlot } from './streamSlot.ts';

/** What reads the pictures, and who is told what it says. */
export type LookoutOptions = LandmarkReaderOptions & {
  /** What was seen, before it is sent. */
  readonly onSightings?: (sightings: readonly LandmarkSighting[]) => void;
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
 * Returns a lookout that looks at nothing. Its reader is told when there is a track and something may be looked for, and again
 * when that changes, so that the model of what may not be looked for is not there. Where there is no model or no source
 * can be made, the server is told so while there is a track.
 */
export function createLookout(
  producer: Producer,
  slots: ReadonlyMap<LandmarkModality, StreamSlot>,
  options: LookoutOptions,
): Lookout {
  let track: MediaStreamTrack | undefined;
  let wanted = '';
  const send = (sighting: LandmarkSighting): void => {
    const streamId = slots.get(sighting.modality)?.streamId;
    if (streamId === undefined) return;
    const mediaMs = Math.max(0, producer.mediaMs - (performance.now() - sighting.atMs));
    if ('row' in sighting) producer.sendLandmarks(streamId, sighting.row, mediaMs);
    else producer.sendSightless(streamId, sighting.reason, mediaMs);
  };
  const tell = (sightings: readonly LandmarkSighting[]): void => {
    if (!track) return;
    options.onSightings?.(sightings);
    sightings.forEach(send);
  };
  const reader = createLandmarkReader(options, tell);
  const refresh = (): void => {
    if (!track) return;
    const now = [...slots].filter(([, slot]) => slot.isWanted).map(([modality]) => modality);
    if (now.join() === wanted) return;
    wanted = now.join();
    reader.read(now);
  };
  const timer = setInterval(() => {
    const atMs = performance.now();
    const { sightless } = reader;
    if (sightless.size > 0) tell([...sightless].map(([modality, reason]) => ({ modality, atMs, reason })));
  }, SIGHTLESS_MS);
  const unfollow = producer.on('policy', refresh);
  return {
    look: (next) => {
      track = next;
      reader.look(next);
      refresh();
    },
    close: () => {
      unfollow();
      clearInterval(timer);
      track = undefined;
      reader.close();
    },
  };
}
