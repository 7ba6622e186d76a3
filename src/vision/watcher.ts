import type { SightlessReason } from '../adapter.ts';
import type { Hand } from './hands.ts';
import type { Pixels } from './pixelStore.ts';

/** When a picture is looked at: whole ms that increase, and the time since the picture before. */
export type WatchTime = { readonly clockMs: number; readonly elapsedMs: number };

/** What a watcher finds in one picture: the row, or why there is none, and the hands if it looks for them. */
export type Glance = { readonly seen: Float32Array | SightlessReason; readonly hands?: readonly Hand[] };

/** Looks for one modality in the pictures of one participant, in order. */
export type Watcher = {
  /**
   * @param hands That another watcher found in the same picture, which may cover what this one looks for.
   * @throws Error When the library fails; the watcher must then be made anew.
   */
  see(pixels: Pixels, time: WatchTime, hands: readonly Hand[]): Glance;
  close(): void;
};

/** Empties an answer of the library, which keeps its last one until the next picture, landmarks of the head and all. */
export function forgetAnswer(answer: object): void {
  for (const part of Object.values(answer)) if (Array.isArray(part)) part.length = 0;
}
