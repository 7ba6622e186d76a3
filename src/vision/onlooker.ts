import type { Sighting, SightlessReason, VisionModality } from '../adapter.ts';
import { isDark } from './isDark.ts';
import type { Pixels } from './pixelStore.ts';
import type { VisionRuntime } from './visionRuntime.ts';
import type { Watcher } from './watcher.ts';

/** The models that an onlooker may load; without one, its modality is answered with `no_extractor`. */
export type OnlookerModels = { readonly face?: Uint8Array; readonly body?: Uint8Array };

/** Looks at the pictures of one participant, in order. */
export type Onlooker = {
  /**
   * One sighting for each modality, in the order asked for. Never throws; a library that fails is loaded anew.
   * @param read Gives the pixels, which are erased once they were looked at, or why there are none; not called for a picture
   * that comes too late.
   */
  look(atMs: number, read: () => Pixels | SightlessReason): Promise<readonly Sighting[]>;
  close(): void;
};

/** Pictures smaller than this on a side show nobody. */
const MIN_SIDE = 16;

type Watchers = Readonly<Partial<Record<VisionModality, Watcher>>>;

/** What looks for a modality is loaded when it is looked for, and not before. */
const WATCHERS: Readonly<Record<VisionModality, (runtime: VisionRuntime, model: Uint8Array) => Promise<Watcher>>> = {
  face: async (runtime, model) => (await import('./faceWatcher.ts')).createFaceWatcher(runtime, model),
  body: async (runtime, model) => (await import('./bodyWatcher.ts')).createBodyWatcher(runtime, model),
};

/** Returns an onlooker for `modalities`. What looks for the others is neither made nor loaded. */
export async function createOnlooker(
  runtime: VisionRuntime,
  modalities: readonly VisionModality[],
  models: OnlookerModels,
): Promise<Onlooker> {
  const makeWatchers = async (): Promise<Watchers> => {
    const made: Partial<Record<VisionModality, Watcher>> = {};
    for (const modality of modalities) {
      const model = models[modality];
      if (model) made[modality] = await WATCHERS[modality](runtime, model);
    }
    return made;
  };
  let watchers = await makeWatchers();
  let lastMs: number | undefined;
  let clockMs = 0;

  const answer = (atMs: number, of: (modality: VisionModality) => Float32Array | SightlessReason): Sighting[] =>
    modalities.map((modality) => {
      const seen = of(modality);
      return typeof seen === 'string' ? { modality, atMs, reason: seen } : { modality, atMs, row: seen };
    });
  const see = (atMs: number, pixels: Pixels): Sighting[] => {
    const elapsedMs = atMs - (lastMs ?? atMs);
    // The library wants whole ms that increase, whatever the times of the pictures are.
    clockMs = Math.max(clockMs + 1, clockMs + Math.round(elapsedMs));
    lastMs = atMs;
    const isTooDark = isDark(pixels);
    // Bodies first: their hands may cover the face.
    const body = watchers.body?.see(pixels, { clockMs, elapsedMs }, []);
    const face = watchers.face?.see(pixels, { clockMs, elapsedMs }, body?.hands ?? []);
    return answer(atMs, (modality) => darkAs({ body, face }[modality]?.seen ?? 'no_extractor', isTooDark));
  };
  return {
    look: async (atMs, read) => {
      if (!Number.isFinite(atMs)) return answer(atMs, () => 'unsupported_format');
      if (lastMs !== undefined && atMs <= lastMs) return answer(atMs, () => 'late');
      const pixels = read();
      if (typeof pixels === 'string') return answer(atMs, () => pixels);
      if (Math.min(pixels.width, pixels.height) < MIN_SIDE) return answer(atMs, nobody);
      try {
        return see(atMs, pixels);
      } catch {
        close(watchers);
        watchers = await makeWatchers();
        return answer(atMs, () => 'vision_down');
      } finally {
        // The library keeps hold of the picture until the next one.
        pixels.data.fill(0);
      }
    },
    close: () => close(watchers),
  };
}

function nobody(modality: VisionModality): SightlessReason {
  return modality === 'face' ? 'no_face' : 'no_body';
}

/** Nobody found in the dark means that it is too dark to tell. */
function darkAs(seen: Float32Array | SightlessReason, isTooDark: boolean): Float32Array | SightlessReason {
  return isTooDark && (seen === 'no_face' || seen === 'no_body') ? 'low_light' : seen;
}

function close(watchers: Watchers): void {
  for (const watcher of Object.values(watchers)) {
    try {
      watcher.close();
    } catch {
      // A task that failed may be unable to close; its memory goes with it.
    }
  }
}
