/** The joints that are read, in order. Left and right are the person's own; the head is not among them. */
export const BODY_JOINTS = [
  'leftShoulder',
  'rightShoulder',
  'leftElbow',
  'rightElbow',
  'leftWrist',
  'rightWrist',
  'leftHip',
  'rightHip',
] as const;
/** One joint of {@link BODY_JOINTS}. */
export type BodyJoint = (typeof BODY_JOINTS)[number];

/**
 * Where a joint is, in picture heights: `x` to the right from the left edge, `y` down from the top, `z` away from the
 * camera, from any origin that all joints of the picture share.
 */
export type JointPosition = { readonly x: number; readonly y: number; readonly z: number };

/** The joints seen in one picture. A joint that is hidden, outside the picture or uncertain is left out. */
export type UpperBody = Readonly<Partial<Record<BodyJoint, JointPosition>>>;

/** One landmark as MediaPipe's pose landmarker gives it: `x` and `z` in picture widths, `y` in picture heights. */
export type PoseLandmark = JointPosition & { readonly visibility?: number | undefined };

/** Landmarks of a pose; those from 0 to 10 belong to the head. */
const POSE_LANDMARKS = 33;
const JOINT_LANDMARKS: Readonly<Record<BodyJoint, number>> = {
  leftShoulder: 11,
  rightShoulder: 12,
  leftElbow: 13,
  rightElbow: 14,
  leftWrist: 15,
  rightWrist: 16,
  leftHip: 23,
  rightHip: 24,
};
/** A landmark is seen when its visibility is at least this. */
export const SEEN_VISIBILITY = 0.5;
const MAX_POSITION = 100;

/**
 * Returns the joints of one MediaPipe pose that are seen: visibility of at least 0.5 and a plausible position. Landmarks 0 to
 * 10, the head's, are never read (privacy mode `no-face` relies on it). A position outside the picture is kept.
 * @param aspect Width of the picture divided by its height.
 * @throws RangeError when there are not 33 landmarks, or `aspect` is not a positive number.
 */
export function toUpperBody(landmarks: readonly PoseLandmark[], aspect: number): UpperBody {
  if (landmarks.length !== POSE_LANDMARKS)
    throw new RangeError(`landmarks must be ${POSE_LANDMARKS}, got ${landmarks.length}`);
  if (!(aspect > 0 && Number.isFinite(aspect))) throw new RangeError(`aspect must be positive, got ${aspect}`);
  const seen: Partial<Record<BodyJoint, JointPosition>> = {};
  for (const joint of BODY_JOINTS) {
    const landmark = landmarks[JOINT_LANDMARKS[joint]];
    if (landmark === undefined || !((landmark.visibility ?? 0) >= SEEN_VISIBILITY)) continue;
    const position = { x: landmark.x * aspect, y: landmark.y, z: landmark.z * aspect };
    if (isPlausible(position)) seen[joint] = position;
  }
  return seen;
}

/** Returns whether all three coordinates are numbers within 100 picture heights; anything else is a fault, not a joint. */
export function isPlausible({ x, y, z }: JointPosition): boolean {
  return Math.abs(x) <= MAX_POSITION && Math.abs(y) <= MAX_POSITION && Math.abs(z) <= MAX_POSITION;
}
