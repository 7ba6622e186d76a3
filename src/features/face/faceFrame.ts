import { BLENDSHAPES, LIVE_BLENDSHAPES } from './blendshapes.ts';

/**
 * The columns of {@link toFaceFrame}, in order; docs/features.md explains each. The 45 live blendshapes as
 * log-odds above the floor, head rotation in radians, place of the head in metres, and `valid`, 0 or 1.
 */
export const FACE_COLUMNS: readonly string[] = [
  ...LIVE_BLENDSHAPES,
  'yawRad',
  'pitchRad',
  'rollRad',
  'rightM',
  'upM',
  'distanceM',
  'valid',
];

/** How a face becomes a row. */
export type FaceFrameOptions = {
  /** Whether the place of the head is known; if not (still pictures, cut-out faces) it is 0. `true` unless told. */
  readonly hasPlace?: boolean;
};

/** Positions of the live blendshapes among all 52. */
const LIVE = LIVE_BLENDSHAPES.map((name) => BLENDSHAPES.indexOf(name));
/** Entries of a 4 × 4 matrix. */
const MATRIX_SIZE = 16;
/** A blendshape counts as at least this and at most 1 minus this. */
const MIN_SHARE = 1e-4;
/** Log-odds of the least share; what columns count from, so that 0 is a face that does not move. */
const FLOOR = Math.log(MIN_SHARE / (1 - MIN_SHARE));
const CM_PER_M = 100;
/** Faces further from the axis or the camera than this are a fault of the fit. */
const MAX_PLACE_M = 20;

/**
 * Returns what one picture says of a face: 52 finite numbers in the order of {@link FACE_COLUMNS}. Without a face, or when
 * a number of it is not finite, everything is 0, `valid` too; without a matrix, rotation and place are 0.
 * A blendshape b becomes ln(b / (1 - b)) - ln(0.0001 / 0.9999), from 0 (b ≤ 0.0001) to 18.4 (b ≥ 0.9999), because most of
 * what tells expressions apart happens below 0.1: on FER2013 that is worth about 2 points. The
 * rotation is R = Ry(yaw) Rx(pitch) Rz(roll) in camera axes: x to the picture's right, y up, z towards the camera.
 * @param blendshapes The 52 of {@link BLENDSHAPES}, each in [0, 1]; nothing when there is no face.
 * @param matrix The facial transformation matrix: 4 × 4, column-major, centimetres.
 * @throws RangeError when there are not 52 blendshapes, or not 16 entries in the matrix.
 */
export function toFaceFrame(
  blendshapes: ArrayLike<number> | undefined,
  matrix?: ArrayLike<number>,
  { hasPlace = true }: FaceFrameOptions = {},
): Float32Array {
  const row = new Float32Array(FACE_COLUMNS.length);
  if (!blendshapes) return row;
  if (blendshapes.length !== BLENDSHAPES.length)
    throw new RangeError(`blendshapes must be ${BLENDSHAPES.length}, got ${blendshapes.length}`);
  if (matrix && matrix.length !== MATRIX_SIZE)
    throw new RangeError(`matrix must have ${MATRIX_SIZE} entries, got ${matrix.length}`);
  const values = [
    ...LIVE.map((i) => logOddsAboveFloor(blendshapes[i] ?? NaN)),
    ...(matrix ? rotationOf(matrix) : [0, 0, 0]),
    ...(matrix && hasPlace ? placeOf(matrix) : [0, 0, 0]),
    1,
  ];
  if (values.every(Number.isFinite)) row.set(values);
  return row;
}

function logOddsAboveFloor(share: number): number {
  const clamped = Math.min(1 - MIN_SHARE, Math.max(MIN_SHARE, share));
  return Math.log(clamped / (1 - clamped)) - FLOOR;
}

/** Yaw, pitch and roll; entry `[row, column]` of the matrix is at `4 * column + row`. */
function rotationOf(matrix: ArrayLike<number>): number[] {
  const at = (row: number, column: number): number => matrix[4 * column + row] ?? NaN;
  return [
    Math.atan2(at(0, 2), at(2, 2)),
    Math.asin(Math.min(1, Math.max(-1, -at(1, 2)))),
    Math.atan2(at(1, 0), at(1, 1)),
  ];
}

/** To the picture's right, up, and away from the camera, in metres. */
function placeOf(matrix: ArrayLike<number>): number[] {
  return [matrix[12], matrix[13], -(matrix[14] ?? NaN)].map((cm) =>
    Math.min(MAX_PLACE_M, Math.max(-MAX_PLACE_M, (cm ?? NaN) / CM_PER_M)),
  );
}
