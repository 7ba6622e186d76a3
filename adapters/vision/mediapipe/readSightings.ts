import type { FaceLandmarkerResult, PoseLandmarkerResult } from '@mediapipe/tasks-vision';
import type { SightlessReason } from '../../../src/adapter.ts';
import { type BodyFrame, type BodyState, toBodyFrame } from '../../../src/features/body/bodyFrame.ts';
import { toUpperBody } from '../../../src/features/body/upperBody.ts';
import { FACE_COLUMNS, toFaceFrame } from '../../../src/features/face/faceFrame.ts';
import type { Pixels } from './pixelStore.ts';

/** A face less high than this, in pixels, has too little left in it to read. */
const MIN_FACE_PIXELS = 40;
/** Beyond these turns half of the face is hidden. */
const MAX_YAW_RAD = (50 * Math.PI) / 180;
const MAX_PITCH_RAD = (40 * Math.PI) / 180;
/** When another face is at least this share as high as the highest, nothing says which is the participant's. */
const RIVAL_SHARE = 0.6;
/** A mean luminance below this (of 255) is too dark to read. */
const MIN_LUMINANCE = 24;
/** Luminance is the mean of every 16th pixel's. */
const LUMINANCE_STRIDE = 16 * 4;
const YAW = FACE_COLUMNS.indexOf('yawRad');
const PITCH = FACE_COLUMNS.indexOf('pitchRad');
const VALID = FACE_COLUMNS.indexOf('valid');

/** Returns whether a picture is too dark to read: mean Rec. 709 luminance below 24 of 255. */
export function isDark({ data }: Pixels): boolean {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < data.length; at += LUMINANCE_STRIDE, count++)
    sum += 0.2126 * (data[at] ?? 0) + 0.7152 * (data[at + 1] ?? 0) + 0.0722 * (data[at + 2] ?? 0);
  return count > 0 && sum / count < MIN_LUMINANCE;
}

/** Returns the row of the participant's face, or why there is none. Of several faces, the one that is clearly largest is theirs. */
export function readFace(result: FaceLandmarkerResult, height: number): Float32Array | SightlessReason {
  const sizes = result.faceLandmarks.map((landmarks) => heightOf(landmarks) * height);
  const largest = Math.max(0, ...sizes);
  const index = sizes.indexOf(largest);
  if (index < 0) return 'no_face';
  if (sizes.some((size, other) => other !== index && size >= RIVAL_SHARE * largest)) return 'several_faces';
  if (largest < MIN_FACE_PIXELS) return 'face_small';
  const scores = result.faceBlendshapes[index]?.categories.map(({ score }) => score);
  const row = toFaceFrame(scores, result.facialTransformationMatrixes[index]?.data);
  if (row[VALID] !== 1) return 'no_face';
  const isTurned = Math.abs(row[YAW] ?? 0) > MAX_YAW_RAD || Math.abs(row[PITCH] ?? 0) > MAX_PITCH_RAD;
  return isTurned ? 'face_turned' : row;
}

/**
 * Returns the row of the body, or nothing in it when both shoulders are not seen, and the state for the next picture.
 * Landmarks 0 to 10, the head's, are never read.
 */
export function readBody(
  result: PoseLandmarkerResult,
  { width, height }: Pixels,
  before: { readonly state: BodyState | undefined; readonly elapsedS: number },
): BodyFrame {
  const [landmarks] = result.landmarks;
  const joints = landmarks && toUpperBody(landmarks, width / height);
  return toBodyFrame(joints, before.state, before.elapsedS);
}

function heightOf(landmarks: readonly { readonly y: number }[]): number {
  const [least, most] = landmarks.reduce(
    ([min, max], { y }) => [Math.min(min, y), Math.max(max, y)],
    [Infinity, -Infinity],
  );
  return Math.max(0, most - least);
}
