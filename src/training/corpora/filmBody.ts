import { BODY_JOINTS, type BodyJoint, type JointPosition, type UpperBody } from '../../features/body/upperBody.ts';
import type { Random } from '../../model/random.ts';
import { type BodyClip, CLIP_COLUMNS, CLIP_HZ } from './bodyClips.ts';

/** One picture of a filmed clip: the joints a pose detector would have seen, and the seconds since the picture before. */
export type FilmedPicture = { readonly joints: UpperBody | undefined; readonly elapsedS: number };

/** Where the camera stands and how it sees; lengths in shoulder widths, pictures in picture heights, angles in radians. */
type Camera = {
  readonly turn: (point: JointPosition) => JointPosition;
  readonly focal: number;
  readonly distance: number;
  readonly aspect: number;
  readonly centre: { readonly x: number; readonly y: number };
};

/** Where the clip's columns of a joint begin; `root` is the middle of the shoulders. */
const COLUMN: Readonly<Record<BodyJoint | 'root', number>> = {
  leftShoulder: CLIP_COLUMNS.indexOf('shoulder_L_x'),
  rightShoulder: CLIP_COLUMNS.indexOf('shoulder_R_x'),
  leftElbow: CLIP_COLUMNS.indexOf('elbow_L_x'),
  rightElbow: CLIP_COLUMNS.indexOf('elbow_R_x'),
  leftWrist: CLIP_COLUMNS.indexOf('wrist_L_x'),
  rightWrist: CLIP_COLUMNS.indexOf('wrist_R_x'),
  leftHip: CLIP_COLUMNS.indexOf('hip_L_x'),
  rightHip: CLIP_COLUMNS.indexOf('hip_R_x'),
  root: CLIP_COLUMNS.indexOf('root_x'),
};
const OPPOSITE: Readonly<Record<BodyJoint, BodyJoint>> = {
  leftShoulder: 'rightShoulder',
  rightShoulder: 'leftShoulder',
  leftElbow: 'rightElbow',
  rightElbow: 'leftElbow',
  leftWrist: 'rightWrist',
  rightWrist: 'leftWrist',
  leftHip: 'rightHip',
  rightHip: 'leftHip',
};

const DEGREE = Math.PI / 180;
const MAX_YAW = 35 * DEGREE;
const MAX_PITCH = 10 * DEGREE;
const MAX_ROLL = 5 * DEGREE;
/** Vertical field of view, and width of the shoulders in the picture: from a person at a desk to half a room away. */
const FIELD_OF_VIEW = [35 * DEGREE, 60 * DEGREE] as const;
const SHOULDERS_IN_PICTURE = [0.12, 0.42] as const;
const ASPECTS = [16 / 9, 4 / 3] as const;
/** Length of a cut, in frames. */
const WINDOW = [2 * CLIP_HZ, 5 * CLIP_HZ] as const;
/** The camera keeps the person in the picture: of the walk, only what departs from the mean of ± 1 s is left. */
const FOLLOW = CLIP_HZ;
/** Joints nearer to the camera than this share of its distance are out of sight. */
const NEAREST = 0.25;
/** A detector still places joints that are so far outside the picture, in picture heights. */
const MARGIN = 0.05;
/** Error of a detected joint: standard deviation in shoulder widths, correlation from picture to picture, depth worse. */
const JITTER = [0.005, 0.03] as const;
const JITTER_MEMORY = 0.6;
const DEPTH_JITTER = 4;
/** Chances per picture that an elbow or hip vanishes, that it comes back, that the person or the picture is lost. */
const MAX_VANISH = 0.06;
const RETURN = 0.3;
const MAX_LOSS = 0.05;

/**
 * Returns what a webcam would see of a clip: cut to a random 2 to 5 s (shorter clips whole), perhaps mirrored, from a random
 * angle (yaw ± 35°, pitch ± 10°, roll ± 5°) and distance in perspective, with joints that leave the picture or vanish for
 * a while (wrists twice as often), jitter that lasts over pictures, lost pictures and moments in which nobody is found.
 * The same clip and stream of `random` give the same pictures.
 */
export function filmBody(clip: BodyClip, random: Random): readonly FilmedPicture[] {
  const [from, to] = cutOf(clip.frames, random);
  const isMirrored = random() < 0.5;
  const camera = createCamera(random);
  const blur = createDetector(random);
  const loss = MAX_LOSS * random();
  const pictures: FilmedPicture[] = [];
  let elapsedS = 0;
  for (let frame = from; frame < to; frame++) {
    elapsedS += 1 / CLIP_HZ;
    const joints = blur(project(poseAt(clip, frame, isMirrored), camera), camera);
    const luck = random();
    if (luck < loss && pictures.length > 0) continue;
    pictures.push({ joints: luck < 2 * loss ? undefined : joints, elapsedS });
    elapsedS = 0;
  }
  return pictures;
}

function cutOf(frames: number, random: Random): readonly [number, number] {
  const length = Math.min(frames, Math.round(within(WINDOW, random)));
  const from = Math.floor(random() * (frames - length + 1));
  return [from, from + length];
}

/** The joints at one frame, in shoulder widths around where the camera looks. */
function poseAt({ motion, frames }: BodyClip, frame: number, isMirrored: boolean): Record<BodyJoint, JointPosition> {
  const width = CLIP_COLUMNS.length;
  const at = (row: number, column: number): JointPosition => ({
    x: motion[row * width + column] ?? 0,
    y: motion[row * width + column + 1] ?? 0,
    z: motion[row * width + column + 2] ?? 0,
  });
  const [first, last] = [Math.max(0, frame - FOLLOW), Math.min(frames - 1, frame + FOLLOW)];
  let sway = at(frame, COLUMN.root);
  for (let row = first; row <= last; row++) sway = plus(sway, at(row, COLUMN.root), -1 / (last - first + 1));
  const jointAt = (joint: BodyJoint): JointPosition => {
    const { x, y, z } = plus(at(frame, COLUMN[isMirrored ? OPPOSITE[joint] : joint]), sway, 1);
    return { x: isMirrored ? -x : x, y, z };
  };
  return forEachJoint(jointAt);
}

function createCamera(random: Random): Camera {
  const [yaw, pitch, roll] = [MAX_YAW, MAX_PITCH, MAX_ROLL].map((bound) => within([-bound, bound], random));
  const aspect = random() < 0.75 ? ASPECTS[0] : ASPECTS[1];
  const focal = 0.5 / Math.tan(within(FIELD_OF_VIEW, random) / 2);
  const shoulders = Math.exp(within([Math.log(SHOULDERS_IN_PICTURE[0]), Math.log(SHOULDERS_IN_PICTURE[1])], random));
  return {
    turn: rotation(yaw ?? 0, pitch ?? 0, roll ?? 0),
    focal,
    distance: focal / shoulders,
    aspect,
    centre: { x: aspect * within([0.35, 0.65], random), y: within([0.4, 0.75], random) },
  };
}

function rotation(yaw: number, pitch: number, roll: number): Camera['turn'] {
  const turned = (a: number, b: number, angle: number): readonly [number, number] => [
    a * Math.cos(angle) - b * Math.sin(angle),
    a * Math.sin(angle) + b * Math.cos(angle),
  ];
  return ({ x, y, z }) => {
    const [x1, z1] = turned(x, z, yaw);
    const [y2, z2] = turned(y, z1, pitch);
    const [x3, y3] = turned(x1, y2, roll);
    return { x: x3, y: y3, z: z2 };
  };
}

/** Perspective in the picture; depth in the scale of the shoulders, as pose detectors give it. */
function project(pose: Readonly<Record<BodyJoint, JointPosition>>, camera: Camera): UpperBody {
  const seen: Partial<Record<BodyJoint, JointPosition>> = {};
  for (const joint of BODY_JOINTS) {
    const { x, y, z } = camera.turn(pose[joint]);
    const depth = z + camera.distance;
    if (depth < NEAREST * camera.distance) continue;
    const scale = camera.focal / depth;
    seen[joint] = {
      x: camera.centre.x + scale * x,
      y: camera.centre.y + scale * y,
      z: (camera.focal / camera.distance) * z,
    };
  }
  return seen;
}

/** Adds what a detector does: jitter, joints outside the picture left out, joints that vanish and come back. */
function createDetector(random: Random): (body: UpperBody, camera: Camera) => UpperBody {
  const deviation = within(JITTER, random);
  const vanish = MAX_VANISH * random();
  const hidden = new Set<BodyJoint>();
  const errors = forEachJoint(() => ({ x: 0, y: 0, z: 0 }));
  return (body, { focal, distance, aspect }) => {
    const seen: Partial<Record<BodyJoint, JointPosition>> = {};
    for (const joint of BODY_JOINTS) {
      const fresh = { x: normal(random), y: normal(random), z: DEPTH_JITTER * normal(random) };
      const error = plus(scaled(errors[joint], JITTER_MEMORY), fresh, Math.sqrt(1 - JITTER_MEMORY ** 2));
      errors[joint] = error;
      if (random() < (hidden.has(joint) ? RETURN : vanish * vanishing(joint)))
        if (!hidden.delete(joint)) hidden.add(joint);
      const place = body[joint];
      if (!place || hidden.has(joint)) continue;
      const { x, y, z } = plus(place, error, (deviation * focal) / distance);
      if (x < -MARGIN || x > aspect + MARGIN || y < -MARGIN || y > 1 + MARGIN) continue;
      seen[joint] = { x, y, z };
    }
    return seen;
  };
}

/** Detectors hardly ever lose only a shoulder, and lose wrists most. */
function vanishing(joint: BodyJoint): number {
  if (joint === 'leftShoulder' || joint === 'rightShoulder') return 0;
  return joint === 'leftWrist' || joint === 'rightWrist' ? 2 : 1;
}

function forEachJoint(of: (joint: BodyJoint) => JointPosition): Record<BodyJoint, JointPosition> {
  return {
    leftShoulder: of('leftShoulder'),
    rightShoulder: of('rightShoulder'),
    leftElbow: of('leftElbow'),
    rightElbow: of('rightElbow'),
    leftWrist: of('leftWrist'),
    rightWrist: of('rightWrist'),
    leftHip: of('leftHip'),
    rightHip: of('rightHip'),
  };
}

function plus(a: JointPosition, b: JointPosition, factor: number): JointPosition {
  return { x: a.x + factor * b.x, y: a.y + factor * b.y, z: a.z + factor * b.z };
}

function scaled({ x, y, z }: JointPosition, factor: number): JointPosition {
  return { x: factor * x, y: factor * y, z: factor * z };
}

function within([low, high]: readonly [number, number], random: Random): number {
  return low + (high - low) * random();
}

/** A standard normal number. Source: Box and Muller (1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
