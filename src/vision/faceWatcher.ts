import type { FaceLandmarkerResult } from '@mediapipe/tasks-vision';
import type { SightlessReason } from '../adapter.ts';
import { FACE_COLUMNS, toFaceFrame } from '../features/face/faceFrame.ts';
import { type FaceArea, type Hand, isCovered } from './hands.ts';
import type { VisionRuntime } from './visionRuntime.ts';
import { forgetAnswer, type Watcher } from './watcher.ts';

/** A face less high than this, in pixels, has too little left in it to read. */
const MIN_FACE_PIXELS = 40;
/** Beyond these turns half of the face is hidden. */
const MAX_YAW_RAD = (50 * Math.PI) / 180;
const MAX_PITCH_RAD = (40 * Math.PI) / 180;
/** When another face is at least this share as high as the highest, nothing says which is the participant's. */
const RIVAL_SHARE = 0.6;
const YAW = FACE_COLUMNS.indexOf('yawRad');
const PITCH = FACE_COLUMNS.indexOf('pitchRad');
const VALID = FACE_COLUMNS.indexOf('valid');
/** Two faces: one more than wanted, to tell when it is not clear whose face it is. */
const OPTIONS = { numFaces: 2, outputFaceBlendshapes: true, outputFacialTransformationMatrixes: true } as const;

/** Returns a watcher of faces. This module is loaded only where a face is looked for. */
export async function createFaceWatcher(runtime: VisionRuntime, model: Uint8Array): Promise<Watcher> {
  const task = await runtime.createTask<FaceLandmarkerResult>(
    ({ FaceLandmarker }, fileset, options) => FaceLandmarker.createFromOptions(fileset, { ...options, ...OPTIONS }),
    model,
  );
  return {
    see: (pixels, { clockMs }, hands) => {
      const answer = task.detectForVideo(pixels, clockMs);
      const seen = readFace(answer, pixels.height, hands);
      forgetAnswer(answer);
      return { seen };
    },
    close: () => task.close(),
  };
}

/**
 * Returns the row of the participant's face, or why there is none. Of several faces, the one that is clearly largest is theirs.
 * @param height Of the picture, in pixels.
 * @param hands In the picture, of the participant. On the face they cover it, and the library makes up what is below.
 */
export function readFace(
  result: FaceLandmarkerResult,
  height: number,
  hands: readonly Hand[],
): Float32Array | SightlessReason {
  const areas = result.faceLandmarks.map(areaOf);
  const sizes = areas.map(({ top, bottom }) => Math.max(0, bottom - top) * height);
  const largest = Math.max(0, ...sizes);
  const index = sizes.indexOf(largest);
  const area = areas[index];
  if (!area) return 'no_face';
  if (sizes.some((size, other) => other !== index && size >= RIVAL_SHARE * largest)) return 'several_faces';
  if (largest < MIN_FACE_PIXELS) return 'face_small';
  const scores = result.faceBlendshapes[index]?.categories.map(({ score }) => score);
  const row = toFaceFrame(scores, result.facialTransformationMatrixes[index]?.data);
  if (row[VALID] !== 1) return 'no_face';
  const isTurned = Math.abs(row[YAW] ?? 0) > MAX_YAW_RAD || Math.abs(row[PITCH] ?? 0) > MAX_PITCH_RAD;
  if (isTurned) return 'face_turned';
  return isCovered(area, hands) ? 'face_covered' : row;
}

function areaOf(landmarks: readonly { readonly x: number; readonly y: number }[]): FaceArea {
  const [xs, ys] = [landmarks.map(({ x }) => x), landmarks.map(({ y }) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}
