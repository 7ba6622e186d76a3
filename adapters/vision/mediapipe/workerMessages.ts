import type { Picture, Sighting, VisionModality } from '../../../src/adapter.ts';
import type { OnlookerModels } from './onlooker.ts';

/** What a worker is asked. `id` names the stream; each `open` and `look` is answered once, in order. */
export type WorkerRequest =
  | {
      readonly type: 'open';
      readonly id: number;
      readonly modalities: readonly VisionModality[];
      readonly models: OnlookerModels;
    }
  | { readonly type: 'look'; readonly id: number; readonly picture: Picture }
  | { readonly type: 'close'; readonly id: number };

/** What a worker answers: rows and reasons, never a picture. */
export type WorkerAnswer =
  | { readonly type: 'opened'; readonly id: number }
  | { readonly type: 'seen'; readonly id: number; readonly sightings: readonly Sighting[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
