import { BODY_JOINTS, type BodyJoint, type JointPosition, type UpperBody } from '../../features/body/upperBody.ts';
import type { Random } from '../../model/random.ts';

/** Where the camera stands and how it sees; lengths in shoulder widths, pictures in picture heights, angles in radians. */
export type Camera = {
  readonly turn: (point: JointPosition) => JointPosition;
  readonly focal: number;
  readonly distance: number;
  readonly aspect: number;
  readonly centre: { readonly x: number; readonly y: number };
};

const DEGREE = Math.PI / 180;
const MAX_YAW = 35 * DEGREE;
const MAX_PITCH = 10 * DEGREE;
const MAX_ROLL = 5 * DEGREE;
/** Vertical field of view, and width of the shoulders in the picture: from a person at a desk to half a room away. */
const FIELD_OF_VIEW = [35 * DEGREE, 60 * DEGREE] as const;
const SHOULDERS_IN_PICTURE = [0.12, 0.42] as const;
const ASPECTS = [16 / 9, 4 / 3] as const;
/** Joints nearer to the camera than this share of its distance are out of sight. */
const NEAREST = 0.25;

/**
 * Returns a random webcam: yaw ± 35°, pitch ± 10°, roll ± 5° around the person, field of view 35 to 60°, picture 16:9 or 4:3,
 * and so far away that the shoulders are 0.12 to 0.42 picture heights wide, near the middle of the picture.
 */
export function createCamera(random: Random): Camera {
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

/**
 * Returns where the joints are in the picture: perspective for `x` and `y`, depth in the scale of the shoulders, as pose
 * detectors give it. What is much nearer to the camera than the shoulders is left out; what is outside the picture is not.
 * @param pose Joints in shoulder widths around the point that the camera looks at: x to the person's left, y down, z away.
 */
export function project(pose: Readonly<Record<BodyJoint, JointPosition>>, camera: Camera): UpperBody {
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

/** Returns a random number between two bounds. */
export function within([low, high]: readonly [number, number], random: Random): number {
  return low + (high - low) * random();
}
