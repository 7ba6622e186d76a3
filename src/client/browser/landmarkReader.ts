import type { SightlessReason } from '../../domain/modality.ts';
import { isUndertoneError } from '../../errors.ts';
import type {
  CreateLandmarkSource,
  LandmarkAssets,
  LandmarkModality,
  LandmarkSighting,
  LandmarkSource,
  LandmarkSourceOptions,
} from './landmarkSource.ts';

/** What reads the pictures, and who is told what it says. */
export type LandmarkReaderOptions = {
  /** Where the models and the WebAssembly of the reader are served. */
  readonly assets: LandmarkAssets;
  /** What makes rows of pictures: MediaPipe in a module worker, loaded when it is first needed, unless given. */
  readonly createSource?: CreateLandmarkSource;
  readonly onFault?: LandmarkSourceOptions['onFault'];
};

/** Reads one track after the other with the source of the moment, made anew when what is read changes. */
export type LandmarkReader = {
  /** Reads these modalities from now on, and no other; their models, and no others, are loaded. */
  read(modalities: readonly LandmarkModality[]): void;
  /** Looks at this track from now on; at nothing without one. */
  look(track: MediaStreamTrack | undefined): void;
  /** Which of the modalities cannot be read at all, and why. */
  readonly sightless: ReadonlyMap<LandmarkModality, SightlessReason>;
  close(): void;
};

/** Returns a reader that reads nothing yet. Where no source can be made, `onFault` is told and its modalities are sightless. */
export function createLandmarkReader(
  { assets, createSource = loadSource, onFault }: LandmarkReaderOptions,
  tell: (sightings: readonly LandmarkSighting[]) => void,
): LandmarkReader {
  let source: LandmarkSource | undefined;
  let track: MediaStreamTrack | undefined;
  const sightless = new Map<LandmarkModality, SightlessReason>();
  /** Rises with each source that is asked for, so that one that comes too late is let go. */
  let turn = 0;

  const open = async (modalities: readonly LandmarkModality[]): Promise<void> => {
    const mine = turn;
    const onSightings = (sightings: readonly LandmarkSighting[]): unknown => mine === turn && tell(sightings);
    try {
      const opened = await createSource({ modalities, assets, onSightings, ...(onFault && { onFault }) });
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
  return {
    read: (modalities) => {
      close();
      const hasModel = (modality: LandmarkModality): boolean => assets.models[modality] !== undefined;
      for (const modality of modalities) if (!hasModel(modality)) sightless.set(modality, 'no_extractor');
      const readable = modalities.filter(hasModel);
      if (readable.length > 0) void open(readable);
    },
    look: (next) => {
      track = next;
      if (next) source?.start(next);
      else source?.stop();
    },
    sightless,
    close,
  };
}

/** It is large, so pages without a camera do not load it. */
const loadSource: CreateLandmarkSource = async (options) =>
  (await import('./vision/createLandmarkSource.ts')).createLandmarkSource(options);
