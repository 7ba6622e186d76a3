import type { Sighting } from '../../../adapter.ts';
import { createSeat, type Pool, type Slot } from '../../../vision/seat.ts';
import { createVisionStream } from '../../../vision/visionStream.ts';
import type {
  CreateLandmarkSource,
  LandmarkAssets,
  LandmarkModality,
  LandmarkSourceOptions,
} from '../landmarkSource.ts';
import { startWebThread, type WebThread } from './startWebThread.ts';
import type { AssetUrls, TimedImage } from './timedImage.ts';
import { type TrackPicture, watchTrack } from './trackPictures.ts';

/**
 * Returns a source of landmarks that runs MediaPipe in a module worker, on the CPU. What is not looked for is not fetched: with
 * `modalities: ['body']` no face model is asked for.
 * @throws TypeError when a modality or a URL is none; UndertoneError VISION_DOWN or BAD_MODEL when it cannot be started.
 */
export const createLandmarkSource: CreateLandmarkSource = async ({ modalities, assets, onSightings, onFault }) => {
  checkModalities(modalities);
  const pool = createPool(() => startWebThread(assets.workerUrl));
  const seat = createSeat<TimedImage, AssetUrls>({
    pool,
    id: 0,
    options: { modalities, ...(onFault && { onFault }) },
    models: toAssetUrls(modalities, assets),
  });
  try {
    await seat.open();
  } catch (error) {
    await pool.end();
    throw error;
  }
  const looker = createLooker(modalities, (timed) => seat.look(timed));
  let stop: (() => void) | undefined;
  let isClosed = false;
  const source = {
    start: (track: MediaStreamTrack): void => {
      if (isClosed) throw new TypeError('the source is closed');
      if (track.kind !== 'video') throw new TypeError(`track must be of video, got ${track.kind}`);
      source.stop();
      stop = watch(track, looker, onSightings);
    },
    stop: (): void => {
      stop?.();
      stop = undefined;
    },
    close: (): void => {
      source.stop();
      isClosed = true;
      seat.leave();
      void pool.end();
    },
  };
  return source;
};

const MODALITIES: readonly LandmarkModality[] = ['face', 'body'];

function checkModalities(modalities: readonly LandmarkModality[]): void {
  const isFit = modalities.length > 0 && modalities.every((modality) => MODALITIES.includes(modality));
  if (!isFit || new Set(modalities).size !== modalities.length)
    throw new TypeError(`modalities must be of ${MODALITIES.join(' and ')}, each once, got ${modalities.join(', ')}`);
}

/** A worker has no document: it needs whole URLs. */
function toAssetUrls(modalities: readonly LandmarkModality[], { wasmUrl, models }: LandmarkAssets): AssetUrls {
  const wanted = modalities.flatMap((modality) => {
    const url = models[modality];
    return url === undefined ? [] : [[modality, new URL(url, document.baseURI).href] as const];
  });
  return { wasmUrl: new URL(wasmUrl, document.baseURI).href, ...Object.fromEntries(wanted) };
}

type Looker = (picture: TrackPicture) => Promise<readonly Sighting[]>;

/** Looks at one picture at a time, whichever track it is of. */
function createLooker(
  modalities: readonly LandmarkModality[],
  look: (timed: TimedImage) => Promise<readonly Sighting[]>,
): Looker {
  let last: Promise<unknown> = Promise.resolve();
  return (picture) => {
    const seen = last.then(() =>
      picture
        .take()
        .then(look, () =>
          modalities.map((modality) => ({ modality, atMs: picture.atMs, reason: 'decode_error' as const })),
        ),
    );
    last = seen;
    return seen;
  };
}

function watch(track: MediaStreamTrack, look: Looker, onSightings: LandmarkSourceOptions['onSightings']): () => void {
  const stream = createVisionStream<TrackPicture>(
    { onSightings },
    { look, skip: (picture) => picture.drop(), onClose: () => stopWatching() },
  );
  const stopWatching = watchTrack(track, (picture) => stream.look(picture));
  return () => stream.close();
}

type WebPool = Pool<TimedImage, AssetUrls> & { end(): Promise<void> };

/** One worker, started when it is needed, and again when it has ended. */
function createPool(start: () => WebThread): WebPool {
  let slot: Slot<TimedImage, AssetUrls> | undefined;
  return {
    take: () => {
      if (!slot || slot.thread.hasEnded) slot = { thread: start(), streams: 0 };
      slot.streams++;
      return slot;
    },
    leave: (left) => void left.streams--,
    end: async () => void (await slot?.thread.end()),
  };
}
