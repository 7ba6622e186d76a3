import type { Picture, Sighting, SightlessReason, VisionModality } from '../../../src/adapter.ts';
import { BODY_COLUMNS, type BodyState } from '../../../src/features/body/bodyFrame.ts';
import { decodePicture } from './decodePicture.ts';
import type { Pixels } from './pixelStore.ts';
import { isDark, readBody, readFace } from './readSightings.ts';
import type { FaceTask, PoseTask, VisionRuntime } from './visionRuntime.ts';

/** The models that an onlooker may load; without one, its modality is answered with `no_extractor`. */
export type OnlookerModels = { readonly face?: Uint8Array; readonly body?: Uint8Array };

/** Looks at the pictures of one participant, in order. */
export type Onlooker = {
  /** One sighting for each modality, in the order asked for. Never throws; a library that fails is loaded anew. */
  look(picture: Picture): Promise<readonly Sighting[]>;
  close(): void;
};

/** Pictures smaller than this on a side show nobody. */
const MIN_SIDE = 16;
const VALID = BODY_COLUMNS.indexOf('valid');

type Tasks = { readonly face?: FaceTask; readonly body?: PoseTask };

/** Returns an onlooker for `modalities`. The tasks of the others are never made. */
export async function createOnlooker(
  runtime: VisionRuntime,
  modalities: readonly VisionModality[],
  models: OnlookerModels,
): Promise<Onlooker> {
  const makeTasks = async (): Promise<Tasks> => ({
    ...(modalities.includes('face') && models.face && { face: await runtime.createFaceTask(models.face) }),
    ...(modalities.includes('body') && models.body && { body: await runtime.createPoseTask(models.body) }),
  });
  let tasks = await makeTasks();
  let body: BodyState | undefined;
  let lastMs: number | undefined;
  let clockMs = 0;

  const answer = (atMs: number, of: (modality: VisionModality) => Float32Array | SightlessReason): Sighting[] =>
    modalities.map((modality) => {
      const seen = of(modality);
      return typeof seen === 'string' ? { modality, atMs, reason: seen } : { modality, atMs, row: seen };
    });
  const see = (pixels: Pixels, modality: VisionModality, elapsedMs: number): Float32Array | SightlessReason => {
    if (modality === 'face')
      return tasks.face ? readFace(tasks.face.detectForVideo(pixels, clockMs), pixels.height) : 'no_extractor';
    if (!tasks.body) return 'no_extractor';
    const before = { state: body, elapsedS: elapsedMs / 1_000 };
    const { row, state } = readBody(tasks.body.detectForVideo(pixels, clockMs), pixels, before);
    body = state;
    return row[VALID] === 1 ? row : 'no_body';
  };
  return {
    look: async (picture) => {
      const { atMs } = picture;
      if (!Number.isFinite(atMs)) return answer(atMs, () => 'unsupported_format');
      if (lastMs !== undefined && atMs <= lastMs) return answer(atMs, () => 'late');
      const pixels = decodePicture(picture);
      if (typeof pixels === 'string') return answer(atMs, () => pixels);
      if (Math.min(pixels.width, pixels.height) < MIN_SIDE) return answer(atMs, nobody);
      const elapsedMs = atMs - (lastMs ?? atMs);
      // The library wants whole ms that increase, whatever the times of the pictures are.
      clockMs = Math.max(clockMs + 1, clockMs + Math.round(elapsedMs));
      lastMs = atMs;
      const isTooDark = isDark(pixels);
      try {
        return answer(atMs, (modality) => darkAs(see(pixels, modality, elapsedMs), isTooDark));
      } catch {
        close(tasks);
        tasks = await makeTasks();
        body = undefined;
        return answer(atMs, () => 'vision_down');
      }
    },
    close: () => close(tasks),
  };
}

function nobody(modality: VisionModality): SightlessReason {
  return modality === 'face' ? 'no_face' : 'no_body';
}

/** Nobody found in the dark means that it is too dark to tell. */
function darkAs(seen: Float32Array | SightlessReason, isTooDark: boolean): Float32Array | SightlessReason {
  return isTooDark && (seen === 'no_face' || seen === 'no_body') ? 'low_light' : seen;
}

function close({ face, body }: Tasks): void {
  for (const task of [face, body]) {
    try {
      task?.close();
    } catch {
      // A task that failed may be unable to close; its memory goes with it.
    }
  }
}
