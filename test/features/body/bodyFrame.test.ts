import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_COLUMNS, type BodyState, toBodyFrame } from '../../../src/features/body/bodyFrame.ts';
import { BODY_JOINTS, type JointPosition, type UpperBody } from '../../../src/features/body/upperBody.ts';

const at = (x: number, y: number, z = 0): JointPosition => ({ x, y, z });

/** Someone in the middle of a square picture, facing the camera, arms hanging; shoulders 0.2 apart. */
const STANDING: UpperBody = {
  leftShoulder: at(0.6, 0.4),
  rightShoulder: at(0.4, 0.4),
  leftElbow: at(0.6, 0.6),
  rightElbow: at(0.4, 0.6),
  leftWrist: at(0.6, 0.8),
  rightWrist: at(0.4, 0.8),
  leftHip: at(0.57, 0.8),
  rightHip: at(0.43, 0.8),
};

/** The columns by name; minus zero counts as zero. */
function columns(joints: UpperBody | undefined, before?: BodyState, elapsedS?: number): Record<string, number> {
  const { row } = toBodyFrame(joints, before, elapsedS);
  return Object.fromEntries(BODY_COLUMNS.map((name, i) => [name, Math.round(1e4 * row[i]!) / 1e4 + 0]));
}

const moved = (body: UpperBody, by: (place: JointPosition) => JointPosition): UpperBody =>
  Object.fromEntries(Object.entries(body).map(([joint, place]) => [joint, by(place)]));
const without = (...joints: string[]): UpperBody =>
  Object.fromEntries(Object.entries(STANDING).filter(([joint]) => !joints.includes(joint)));
const SPEEDS = BODY_COLUMNS.filter((name) => name.endsWith('PerS'));
const speedsOf = (row: Record<string, number>): number[] => SPEEDS.map((name) => row[name]!);

describe('BODY_COLUMNS', () => {
  it('names 28 different columns.', () => {
    expect([BODY_COLUMNS.length, new Set(BODY_COLUMNS).size]).toEqual([28, 28]);
  });
});

describe('toBodyFrame, in one picture', () => {
  it('describes someone who stands with hanging arms.', () => {
    expect(columns(STANDING)).toEqual({
      shoulderRollRad: 0,
      shoulderYawRad: 0,
      shoulderWidth: 0.2,
      shoulderY: 0.4,
      trunkLeanRad: 0,
      leftUpperArmRad: 0,
      rightUpperArmRad: 0,
      leftElbowRad: 3.1416,
      rightElbowRad: 3.1416,
      leftWristX: 0.5,
      leftWristY: 2,
      leftWristZ: 0,
      rightWristX: -0.5,
      rightWristY: 2,
      rightWristZ: 0,
      wristDistance: 1,
      leftElbowSeen: 1,
      rightElbowSeen: 1,
      leftWristSeen: 1,
      rightWristSeen: 1,
      hipsSeen: 1,
      shoulderSpeedPerS: 0,
      leftElbowSpeedPerS: 0,
      rightElbowSpeedPerS: 0,
      leftWristSpeedPerS: 0,
      rightWristSpeedPerS: 0,
      scaleSpeedPerS: 0,
      valid: 1,
    });
  });

  it('is zero everywhere without a person, without a shoulder, and when the shoulders are too close to tell.', () => {
    for (const joints of [undefined, {}, without('leftShoulder'), { ...STANDING, leftShoulder: at(0.401, 0.4) }])
      expect(toBodyFrame(joints)).toEqual({ row: new Float32Array(28), state: undefined });
  });

  it('gives arms from hanging over level to raised, and elbows from folded to straight.', () => {
    const wave = columns({ ...STANDING, leftElbow: at(0.8, 0.4), leftWrist: at(0.8, 0.2), rightElbow: at(0.4, 0.2) });
    expect([wave['leftUpperArmRad'], wave['leftElbowRad']]).toEqual([1.5708, 1.5708]);
    expect([wave['rightUpperArmRad'], wave['rightElbowRad']]).toEqual([3.1416, 0]);
  });

  it('sees a raised shoulder, a turned trunk and a lean, each in its own column.', () => {
    const tilted = columns({ ...STANDING, leftShoulder: at(0.6, 0.45), rightShoulder: at(0.4, 0.35) });
    expect(tilted['shoulderRollRad']).toBeCloseTo(Math.asin(0.1 / Math.hypot(0.2, 0.1)), 3);
    const turned = columns({ ...STANDING, leftShoulder: at(0.6, 0.4, 0.1), rightShoulder: at(0.4, 0.4, -0.1) });
    expect(turned['shoulderYawRad']).toBeCloseTo(Math.PI / 4, 3);
    const leaning = columns({ ...STANDING, leftHip: at(0.17, 0.8), rightHip: at(0.03, 0.8) });
    expect(leaning['trunkLeanRad']).toBeCloseTo(Math.PI / 4, 3);
  });

  it('does not make arms longer when someone turns away: the width of the shoulders counts depth.', () => {
    const half = Math.PI / 3;
    const turned = moved(STANDING, ({ x, y }) => at(0.5 + (x - 0.5) * Math.cos(half), y, (x - 0.5) * Math.sin(half)));
    const row = columns(turned);
    expect([row['shoulderWidth'], row['leftWristY']]).toEqual([0.2, 2]);
    expect(row['shoulderYawRad']).toBeCloseTo(half, 3);
  });

  it('puts zeros and a zero flag where a joint is missing, and leaves the other columns alone.', () => {
    const touched = (...joints: string[]): string[] => {
      const [whole, part] = [columns(STANDING), columns(without(...joints))];
      return BODY_COLUMNS.filter((name) => whole[name] !== part[name]);
    };
    expect(touched('leftWrist')).toEqual([
      'leftElbowRad',
      'leftWristX',
      'leftWristY',
      'wristDistance',
      'leftWristSeen',
    ]);
    expect(touched('rightElbow')).toEqual(['rightElbowRad', 'rightElbowSeen']);
    expect(touched('leftHip')).toEqual(['hipsSeen']);
    for (const name of touched('leftWrist')) expect(columns(without('leftWrist'))[name]).toBe(0);
  });

  it('is the same anywhere in the picture and at any distance, but for place and scale.', () => {
    const free = BODY_COLUMNS.filter((name) => !['shoulderWidth', 'shoulderY'].includes(name));
    fc.assert(
      fc.property(fc.double({ min: 0.3, max: 3, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }), (k, d) => {
        const one = columns(STANDING);
        const other = columns(moved(STANDING, ({ x, y, z }) => at(k * x + d, k * y - d, k * z)));
        for (const name of free) expect(other[name]).toBeCloseTo(one[name]!, 3);
        expect(other['shoulderWidth']).toBeCloseTo(0.2 * k, 3);
      }),
    );
  });
});

describe('toBodyFrame, of a mirrored person', () => {
  it('swaps left and right and turns signed columns round.', () => {
    const signed = ['shoulderRollRad', 'shoulderYawRad', 'trunkLeanRad', 'leftWristX', 'rightWristX'];
    const swapped = (name: string): string =>
      name.startsWith('left') ? name.replace('left', 'right') : name.replace('right', 'left');
    const flip = ({ x, y, z }: JointPosition): JointPosition => at(1 - x, y, z);
    const near = fc.integer({ min: 0, max: 64 }).map((n) => n / 64); // mirrored without rounding
    const place = fc.record({ x: near, y: near, z: near });
    fc.assert(
      fc.property(fc.tuple(place, place, place, place, place, place, place, place), (places) => {
        const body = Object.fromEntries(BODY_JOINTS.map((joint, i) => [joint, places[i]!]));
        const [one, other] = [
          toBodyFrame(body).row,
          toBodyFrame(Object.fromEntries(BODY_JOINTS.map((joint) => [swapped(joint), flip(body[joint]!)]))).row,
        ];
        for (const [i, name] of BODY_COLUMNS.entries()) {
          const mirrored = other[BODY_COLUMNS.indexOf(swapped(name))]!;
          const expected = signed.includes(name) ? -mirrored : mirrored;
          const isAngle = name.endsWith('Rad');
          const gap = Math.abs(one[i]! - expected);
          expect(Math.min(gap, isAngle ? Math.abs(gap - 2 * Math.PI) : gap)).toBeLessThan(1e-4);
        }
      }),
    );
  });
});

describe('toBodyFrame, from picture to picture', () => {
  const { state } = toBodyFrame(STANDING);

  it('has no speeds at the first picture, after a picture without a person, and after more than half a second.', () => {
    const raised = { ...STANDING, leftWrist: at(0.6, 0.2) };
    expect(speedsOf(columns(raised))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(speedsOf(columns(raised, toBodyFrame(undefined, state, 0.1).state, 0.1))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(speedsOf(columns(raised, state, 0.51))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(columns(raised, state, 0.5)['leftWristSpeedPerS']).toBe(6);
  });

  it('gives the speed of a hand in shoulder widths per second, relative to the shoulders.', () => {
    const gesture = columns({ ...STANDING, rightWrist: at(0.4, 0.75) }, state, 0.1);
    expect(speedsOf(gesture)).toEqual([0, 0, 0, 0, 2.5, 0]);
    const walk = columns(
      moved(STANDING, ({ x, y }) => at(x + 0.02, y)),
      state,
      0.1,
    );
    expect(speedsOf(walk)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  it('gives coming closer as a change of scale, not as movement of the arms.', () => {
    const closer = columns(
      moved(STANDING, ({ x, y }) => at(0.5 + 1.1 * (x - 0.5), 0.4 + 1.1 * (y - 0.4))),
      state,
      0.1,
    );
    expect(closer['scaleSpeedPerS']).toBeCloseTo(10 * Math.log(1.1), 3);
    expect(speedsOf(closer).slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  });

  it('measures the speed of the shoulders in the mean of both widths, so that back and forth are alike.', () => {
    const near = moved(STANDING, ({ x, y }) => at(0.1 + 0.5 + 2 * (x - 0.5), y));
    const there = columns(near, state, 0.1)['shoulderSpeedPerS']!;
    expect(there).toBeCloseTo(0.1 / 0.3 / 0.1, 3);
    expect(columns(STANDING, toBodyFrame(near).state, 0.1)['shoulderSpeedPerS']).toBe(there);
  });

  it('does not depend on the depth, which detectors only guess.', () => {
    const guessed = columns({ ...STANDING, leftWrist: at(0.6, 0.8, -0.3) }, state, 0.1);
    expect(guessed['leftWristSpeedPerS']).toBe(0);
  });

  it('gives no speed to a joint that was missing in either picture.', () => {
    const lost = toBodyFrame(without('leftWrist')).state;
    expect(columns({ ...STANDING, leftWrist: at(0.6, 0.2) }, lost, 0.1)['leftWristSpeedPerS']).toBe(0);
    expect(columns(without('leftWrist'), state, 0.1)['leftWristSpeedPerS']).toBe(0);
  });

  it('keeps a state of constant size however long the session lasts.', () => {
    let before: BodyState | undefined;
    const sizes = Array.from({ length: 50 }, (_, i) => {
      before = toBodyFrame(
        moved(STANDING, ({ x, y }) => at(x + i / 1000, y)),
        before,
        0.1,
      ).state;
      return JSON.stringify(before, (_, value: unknown) => (typeof value === 'number' ? 0 : value)).length;
    });
    expect(new Set(sizes).size).toBe(1);
  });

  it('refuses a time step that is not positive when there was a picture before.', () => {
    for (const elapsedS of [0, -0.1, NaN])
      expect(() => toBodyFrame(STANDING, state, elapsedS)).toThrow(
        new RangeError(`elapsedS must be positive, got ${elapsedS}`),
      );
  });

  it('is finite and bounded whatever joints it is given.', () => {
    const number = fc.oneof(fc.double(), fc.double({ min: -2, max: 2 }), fc.double({ min: -1e-3, max: 1e-3 }));
    const place = fc.record({ x: number, y: number, z: number });
    const body = fc.dictionary(fc.constantFrom<string>(...BODY_JOINTS), place);
    fc.assert(
      fc.property(body, body, fc.double({ min: 1e-9, max: 1, noNaN: true }), (one, two, elapsedS) => {
        const { row } = toBodyFrame(two, toBodyFrame(one).state, elapsedS);
        expect(row.every((value) => Math.abs(value) <= 400)).toBe(true);
        expect([0, 1]).toContain(row[27]);
      }),
      { numRuns: 500 },
    );
  });
});
