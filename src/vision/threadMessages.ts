import type { Sighting, VisionModality } from '../adapter.ts';

/**
 * What a thread that looks at pictures is asked. `id` names the stream; each `open` and `look` is answered once, in order.
 * `Models` is how the thread comes by its models, `Image` what a picture is here: bytes in Node, a frame in browsers.
 */
export type ThreadRequest<Image, Models> =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly modalities: readonly VisionModality[];
      readonly models: Models;
    }
  | { readonly type: 'look'; readonly id: number; readonly picture: Image }
  | { readonly type: 'close'; readonly id: number };

/**
 * What a thread answers: rows and reasons, never a picture. `working` may come any number of times before the answer. `code` is
 * an error code when the failure has one.
 */
export type ThreadAnswer =
  | { readonly type: 'working'; readonly id: number }
  | { readonly type: 'opened'; readonly id: number }
  | { readonly type: 'seen'; readonly id: number; readonly sightings: readonly Sighting[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string; readonly code?: string };
