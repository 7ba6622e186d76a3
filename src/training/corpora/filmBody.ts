import { BODY_JOINTS, type BodyJoint, type JointPosition, type UpperBody } from '../../features/body/upperBody.ts';
import type { Random } from '../../model/random.ts';
import { type BodyClip, CLIP_COLUMNS, CLIP_HZ } from './bodyClips.ts';
import { type Camera, createCamera, project, within } from './camera.ts';

/** One picture of a filmed clip: the joints a pose detector would have seen, and the seconds since the picture before. */
export type FilmedPicture = { readonly joints: UpperBody | undefined; readonly elapsedS: number };

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

/** Length of a cut, in frames. */
const WINDOW = [2 * CLIP_HZ, 5 * CLIP_HZ] as const;
/** The camera keeps the person in the picture: of the walk, only what departs from the mean of ± 1 s is left. */
const FOLLOW = CLIP_HZ;
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

/** A standard normal number. Source: Box and Muller (1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
