import type { Modality, SightlessReason } from '../../domain/modality.ts';
import type { ErrorCode } from '../../errors.ts';

/** What landmarks are of. */
export type LandmarkModality = Extract<Modality, 'face' | 'body'>;

/**
 * What one picture shows of one modality: a row of docs/features.md (52 numbers of a face, 28 of a body), or why there is
 * none. `atMs`: when the picture was taken, on the clock of `performance.now()` of the page; it rises.
 */
export type LandmarkSighting = { readonly modality: LandmarkModality; readonly atMs: number } & (
  { readonly row: Float32Array } | { readonly reason: SightlessReason }
);

/** Where the parts that read pictures are served; all of one origin with the page, unless that one allows it (CORS). */
export type LandmarkAssets = {
  /** Folder of the WebAssembly of `@mediapipe/tasks-vision`, as in its package, with `/` at the end. */
  readonly wasmUrl: string;
  /** The models by modality. What has none is not read: its pictures have `no_extractor`. */
  readonly models: Readonly<Partial<Record<LandmarkModality, string>>>;
  /** The module worker; the one that lies beside its code unless given. */
  readonly workerUrl?: string;
};

/** What is looked for, with what, and who is told. None of the callbacks may throw. */
export type LandmarkSourceOptions = {
  /** What is looked for; a modality that is not named is never looked for, and its model is never loaded. */
  readonly modalities: readonly LandmarkModality[];
  readonly assets: LandmarkAssets;
  /** Called for each picture that was looked at: one sighting for each modality. */
  readonly onSightings: (sightings: readonly LandmarkSighting[]) => void;
  /** Called when reading fails, once for each failure; the source goes on by itself, or answers with `vision_down`. */
  readonly onFault?: (fault: { readonly code: ErrorCode; readonly message: string }) => void;
};

/**
 * Makes rows of the pictures of one camera, away from the thread of the page: at most 10 pictures a second, the newest wins, fewer
 * where there is no time for more. No picture, and nothing that could show one again, ever leaves it.
 */
export type LandmarkSource = {
  /** Looks at this track, and at no other, from now on. The track stays the caller's: it is neither stopped nor changed. */
  start(track: MediaStreamTrack): void;
  /** Looks at nothing until `start`; sightings of pictures that are on their way are not told any more. */
  stop(): void;
  /** Stops for good and lets go of everything. May be called again. */
  close(): void;
};

/** Makes a source. Rejects with an UndertoneError, VISION_DOWN or BAD_MODEL, when it cannot be started. */
export type CreateLandmarkSource = (options: LandmarkSourceOptions) => Promise<LandmarkSource>;
