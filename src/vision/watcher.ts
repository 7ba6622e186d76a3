import type { SightlessReason } from '../adapter.ts';
import type { Pixels } from './pixelStore.ts';

/** When a picture is looked at: whole ms that increase, and the time since the picture before. */
export type WatchTime = { readonly clockMs: number; readonly elapsedMs: number };

/** Looks for one modality in the pictures of one participant, in order. */
export type Watcher = {
  /** The row, or why there is none. Throws when the library fails; it must then be made anew. */
  see(pixels: Pixels, time: WatchTime): Float32Array | SightlessReason;
  close(): void;
};

/** Empties an answer of the library, which keeps its last one until the next picture, landmarks of the head and all. */
export function forgetAnswer(answer: object): void {
  for (const part of Object.values(answer)) if (Array.isArray(part)) part.length = 0;
}
