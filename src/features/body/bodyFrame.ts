import { type BodyJoint, isPlausible, type JointPosition, type UpperBody } from './upperBody.ts';

/**
 * The columns of {@link toBodyFrame}, in order; docs/features.md explains each. Angles (`Rad`) in radians, lengths in
 * shoulder widths, `…PerS` per second; `shoulderWidth` and `shoulderY` in picture heights; `…Seen` and `valid` are 0 or 1.
 * What was not seen is 0.
 */
export const BODY_COLUMNS: readonly string[] = [
  'shoulderRollRad',
  'shoulderYawRad',
  'shoulderWidth',
  'shoulderY',
  'trunkLeanRad',
  'leftUpperArmRad',
  'rightUpperArmRad',
  'leftElbowRad',
  'rightElbowRad',
  'leftWristX',
  'leftWristY',
  'leftWristZ',
  'rightWristX',
  'rightWristY',
  'rightWristZ',
  'wristDistance',
  'leftElbowSeen',
  'rightElbowSeen',
  'leftWristSeen',
  'rightWristSeen',
  'hipsSeen',
  'shoulderSpeedPerS',
  'leftElbowSpeedPerS',
  'rightElbowSpeedPerS',
  'leftWristSpeedPerS',
  'rightWristSpeedPerS',
  'scaleSpeedPerS',
  'valid',
];

/** What the next frame needs to know of this one, for its speeds. Made by {@link toBodyFrame}, of constant size. */
export type BodyState = {
  /** Shoulder width and middle of the shoulders, in picture heights. */
  readonly width: number;
  readonly middle: JointPosition;
  /** Elbows and wrists relative to the middle of the shoulders, in shoulder widths, in the order of {@link LIMBS}. */
  readonly limbs: readonly (JointPosition | undefined)[];
};

/** A row of {@link BODY_COLUMNS} and what to pass along with the next picture; no state when nobody was seen. */
export type BodyFrame = { readonly row: Float32Array; readonly state: BodyState | undefined };

const LIMBS = ['leftElbow', 'rightElbow', 'leftWrist', 'rightWrist'] as const satisfies readonly BodyJoint[];
/** Narrower shoulders, in picture heights, are not a person close enough to be read. */
const MIN_WIDTH = 0.01;
/** Bounds of positions (shoulder widths), of speeds (shoulder widths per second) and of the change of scale (1/s). */
const MAX_REACH = 4;
const MAX_SPEED = 15;
const MAX_SCALE_SPEED = 5;
/** Over a longer gap the difference of two positions is not a speed. */
const MAX_GAP_S = 0.5;

/**
 * Returns what one picture says of the upper body: 28 numbers in the order of {@link BODY_COLUMNS}, all finite, and the
 * state for the next picture. Without both shoulders everything is 0, `valid` too. The unit of length is the distance of
 * the shoulders with depth, so that turning away does not make arms longer. Speeds are of the shoulders in the picture, and
 * of elbows and wrists relative to the shoulders without depth; they are 0 when the joint is missing in either picture.
 * @param joints The joints seen, or nothing when nobody is in the picture.
 * @param before State of the picture before, or nothing at the first one.
 * @param elapsedS Seconds since the picture before; over 0.5 s there are no speeds.
 * @throws RangeError when `before` is given and `elapsedS` is not positive.
 */
export function toBodyFrame(joints: UpperBody | undefined, before?: BodyState, elapsedS = 0): BodyFrame {
  if (before && !(elapsedS > 0)) throw new RangeError(`elapsedS must be positive, got ${elapsedS}`);
  const row = new Float32Array(BODY_COLUMNS.length);
  const left = seen(joints?.leftShoulder);
  const right = seen(joints?.rightShoulder);
  if (!joints || !left || !right) return { row, state: undefined };
  const width = lengthOf(difference(left, right));
  if (width < MIN_WIDTH) return { row, state: undefined };
  const middle = { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2, z: (left.z + right.z) / 2 };
  const limbs = LIMBS.map((joint) => relativeTo(middle, width, seen(joints[joint])));
  const state = { width, middle, limbs };
  row.set([
    ...shoulderColumns(left, right, state),
    leanOf(middle, seen(joints.leftHip), seen(joints.rightHip)),
    ...armColumns(relativeTo(middle, width, left), relativeTo(middle, width, right), limbs),
    ...limbs.map((limb) => (limb ? 1 : 0)),
    seen(joints.leftHip) && seen(joints.rightHip) ? 1 : 0,
    ...(before && elapsedS <= MAX_GAP_S ? speedColumns(state, before, elapsedS) : [0, 0, 0, 0, 0, 0]),
    1,
  ]);
  return { row, state };
}

function seen(joint: JointPosition | undefined): JointPosition | undefined {
  return joint && isPlausible(joint) ? joint : undefined;
}

/** Roll (left shoulder lower is positive), yaw (left shoulder further away is positive), width, height in the picture. */
function shoulderColumns(left: JointPosition, right: JointPosition, { width, middle }: BodyState): number[] {
  const across = difference(left, right);
  return [Math.asin(clamp(across.y / width, 1)), Math.atan2(across.z, across.x), width, clamp(middle.y, MAX_REACH)];
}

/** Angle of the trunk from upright in the picture; positive when the shoulders are to the right of the hips. */
function leanOf(middle: JointPosition, left: JointPosition | undefined, right: JointPosition | undefined): number {
  return left && right ? Math.atan2(middle.x - (left.x + right.x) / 2, (left.y + right.y) / 2 - middle.y) : 0;
}

function armColumns(
  left: JointPosition | undefined,
  right: JointPosition | undefined,
  [leftElbow, rightElbow, leftWrist, rightWrist]: BodyState['limbs'],
): number[] {
  return [
    upperArmAngle(left, leftElbow),
    upperArmAngle(right, rightElbow),
    elbowAngle(left, leftElbow, leftWrist),
    elbowAngle(right, rightElbow, rightWrist),
    ...reachOf(leftWrist),
    ...reachOf(rightWrist),
    leftWrist && rightWrist ? distanceInPicture(leftWrist, rightWrist) : 0,
  ];
}

/** From hanging (0) over level (π/2) to raised (π), in the picture. */
function upperArmAngle(shoulder: JointPosition | undefined, elbow: JointPosition | undefined): number {
  return shoulder && elbow ? Math.atan2(Math.abs(elbow.x - shoulder.x), elbow.y - shoulder.y) : 0;
}

/** Between upper arm and forearm in the picture: π when the arm is straight, towards 0 when it is folded. */
function elbowAngle(
  shoulder: JointPosition | undefined,
  elbow: JointPosition | undefined,
  wrist: JointPosition | undefined,
): number {
  if (!shoulder || !elbow || !wrist) return 0;
  const up = difference(shoulder, elbow);
  const down = difference(wrist, elbow);
  return Math.abs(Math.atan2(up.x * down.y - up.y * down.x, up.x * down.x + up.y * down.y));
}

function reachOf(wrist: JointPosition | undefined): number[] {
  return wrist ? [wrist.x, wrist.y, wrist.z] : [0, 0, 0];
}

function speedColumns(now: BodyState, before: BodyState, elapsedS: number): number[] {
  const meanWidth = (now.width + before.width) / 2;
  const perSecond = (distance: number): number => Math.min(MAX_SPEED, distance / elapsedS);
  return [
    perSecond(distanceInPicture(now.middle, before.middle) / meanWidth),
    ...now.limbs.map((limb, i) => {
      const earlier = before.limbs[i];
      return limb && earlier ? perSecond(distanceInPicture(limb, earlier)) : 0;
    }),
    Math.min(MAX_SCALE_SPEED, Math.abs(Math.log(now.width / before.width)) / elapsedS),
  ];
}

function relativeTo(middle: JointPosition, width: number, joint?: JointPosition): JointPosition | undefined {
  if (!joint) return undefined;
  const { x, y, z } = difference(joint, middle);
  return { x: clamp(x / width, MAX_REACH), y: clamp(y / width, MAX_REACH), z: clamp(z / width, MAX_REACH) };
}

function difference(a: JointPosition, b: JointPosition): JointPosition {
  return { x: a.x - b.x, y: a.y - b.y, z: a.z - b.z };
}

function lengthOf({ x, y, z }: JointPosition): number {
  return Math.hypot(x, y, z);
}

function distanceInPicture(a: JointPosition, b: JointPosition): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function clamp(value: number, bound: number): number {
  return Math.min(bound, Math.max(-bound, value));
}
