import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLENDSHAPES, LIVE_BLENDSHAPES } from '../../../src/features/face/blendshapes.ts';
import { FACE_COLUMNS, toFaceFrame } from '../../../src/features/face/faceFrame.ts';

const calm = (): number[] => new Array<number>(52).fill(0);
const column = (row: Float32Array, name: string): number => row[FACE_COLUMNS.indexOf(name)]!;

/** Column-major 4 × 4 matrix of Ry(yaw) Rx(pitch) Rz(roll) and a translation, multiplied out step by step. */
function poseMatrix(yaw: number, pitch: number, roll: number, place: readonly number[] = [0, 0, 0]): number[] {
  const multiply = (a: number[][], b: number[][]): number[][] =>
    a.map((row) => [0, 1, 2].map((c) => row.reduce((sum, value, k) => sum + value * b[k]![c]!, 0)));
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => [Math.cos(angle), Math.sin(angle)]);
  const ry = [
    [cy!, 0, sy!],
    [0, 1, 0],
    [-sy!, 0, cy!],
  ];
  const rx = [
    [1, 0, 0],
    [0, cp!, -sp!],
    [0, sp!, cp!],
  ];
  const rz = [
    [cr!, -sr!, 0],
    [sr!, cr!, 0],
    [0, 0, 1],
  ];
  const r = multiply(multiply(ry, rx), rz);
  return [0, 1, 2].flatMap((c) => [r[0]![c]!, r[1]![c]!, r[2]![c]!, 0]).concat(place, 1);
}

describe('FACE_COLUMNS', () => {
  it('names 52 different columns: 45 blendshapes, three angles, three lengths and whether there is a face.', () => {
    expect([FACE_COLUMNS.length, new Set(FACE_COLUMNS).size]).toEqual([52, 52]);
    expect(FACE_COLUMNS.slice(45)).toEqual(['yawRad', 'pitchRad', 'rollRad', 'rightM', 'upM', 'distanceM', 'valid']);
  });

  it('leaves out the seven blendshapes that never move, and keeps the order of MediaPipe.', () => {
    expect([BLENDSHAPES.length, LIVE_BLENDSHAPES.length]).toEqual([52, 45]);
    expect(BLENDSHAPES.filter((name) => !LIVE_BLENDSHAPES.includes(name))).toEqual([
      '_neutral',
      'cheekPuff',
      'cheekSquintLeft',
      'cheekSquintRight',
      'jawForward',
      'noseSneerLeft',
      'noseSneerRight',
    ]);
    expect(BLENDSHAPES.slice(1).toSorted()).toEqual(BLENDSHAPES.slice(1));
  });
});

describe('toFaceFrame', () => {
  it('is zero everywhere, and not valid, without a face.', () => {
    expect(toFaceFrame(undefined)).toEqual(new Float32Array(52));
    expect(toFaceFrame(undefined, poseMatrix(1, 1, 1))).toEqual(new Float32Array(52));
  });

  it('puts each live blendshape into the column of its name.', () => {
    for (const name of LIVE_BLENDSHAPES) {
      const row = toFaceFrame(BLENDSHAPES.map((other) => (other === name ? 0.5 : 0)));
      expect([...row].flatMap((value, i) => (value === 0 ? [] : [FACE_COLUMNS[i]]))).toEqual([name, 'valid']);
      expect(column(row, name)).toBeCloseTo(Math.log(9999), 5);
    }
  });

  it('says nothing of the blendshapes that never move.', () => {
    const row = toFaceFrame(BLENDSHAPES.map((name) => (LIVE_BLENDSHAPES.includes(name) ? 0 : 0.9)));
    expect(row).toEqual(toFaceFrame(calm()));
  });

  it('measures blendshapes in log-odds from a floor of one in ten thousand to a ceiling as far from one.', () => {
    const at = (share: number): number => column(toFaceFrame(calm().fill(share)), 'jawOpen');
    expect([0, 1e-5, 1e-4].map(at)).toEqual([0, 0, 0]);
    expect(at(0.01)).toBeCloseTo(Math.log(0.01 / 0.99) - Math.log(1e-4 / 0.9999), 5);
    expect(at(1)).toBeCloseTo(2 * Math.log(9999), 5);
    expect(at(1)).toBe(at(0.99995));
  });

  it('reads yaw, pitch and roll out of the matrix that they were put into.', () => {
    const angle = fc.double({ min: -1.4, max: 1.4, noNaN: true });
    fc.assert(
      fc.property(angle, angle, angle, (yaw, pitch, roll) => {
        const row = toFaceFrame(calm(), poseMatrix(yaw, pitch, roll));
        expect(column(row, 'yawRad')).toBeCloseTo(yaw, 5);
        expect(column(row, 'pitchRad')).toBeCloseTo(pitch, 5);
        expect(column(row, 'rollRad')).toBeCloseTo(roll, 5);
      }),
    );
  });

  it('calls a face that looks to the right of the picture positive in yaw, and one that looks down positive in pitch.', () => {
    // The face's own forward axis (0, 0, 1) is the third column of the matrix: to the right, then down.
    const right = [0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    expect(column(toFaceFrame(calm(), right), 'yawRad')).toBeCloseTo(Math.PI / 2, 6);
    const down = [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1];
    expect(column(toFaceFrame(calm(), down), 'pitchRad')).toBeCloseTo(Math.PI / 2, 6);
  });

  it('gives the place of the head in metres, away from the camera as positive distance.', () => {
    const row = toFaceFrame(calm(), poseMatrix(0, 0, 0, [12, -3, -45]));
    expect(column(row, 'rightM')).toBeCloseTo(0.12, 6);
    expect(column(row, 'upM')).toBeCloseTo(-0.03, 6);
    expect(column(row, 'distanceM')).toBeCloseTo(0.45, 6);
  });

  it('leaves the place 0 where it means nothing, and keeps the rotation.', () => {
    const row = toFaceFrame(calm(), poseMatrix(0.3, 0.2, 0.1, [12, -3, -45]), { hasPlace: false });
    expect(['rightM', 'upM', 'distanceM'].map((name) => column(row, name))).toEqual([0, 0, 0]);
    expect(column(row, 'yawRad')).toBeCloseTo(0.3, 6);
  });

  it('leaves rotation and place 0 without a matrix, and the face is still valid.', () => {
    const row = toFaceFrame(calm().fill(0.2));
    expect([...row.slice(45)]).toEqual([0, 0, 0, 0, 0, 0, 1]);
  });

  it('does not take a face with a number that is not finite for a face.', () => {
    const broken = calm();
    broken[BLENDSHAPES.indexOf('jawOpen')] = NaN;
    expect(toFaceFrame(broken)).toEqual(new Float32Array(52));
    expect(toFaceFrame(calm(), poseMatrix(NaN, 0, 0))).toEqual(new Float32Array(52));
  });

  it('is finite and bounded whatever it is given.', () => {
    const anything = fc.double();
    fc.assert(
      fc.property(
        fc.array(anything, { minLength: 52, maxLength: 52 }),
        fc.option(fc.array(anything, { minLength: 16, maxLength: 16 }), { nil: undefined }),
        (blendshapes, matrix) => {
          const row = toFaceFrame(blendshapes, matrix);
          expect(row.every((value) => Math.abs(value) <= 20)).toBe(true);
          expect([0, 1]).toContain(column(row, 'valid'));
        },
      ),
    );
  });

  it('refuses another number of blendshapes or of matrix entries.', () => {
    expect(() => toFaceFrame(new Float32Array(51))).toThrow(new RangeError('blendshapes must be 52, got 51'));
    expect(() => toFaceFrame(calm(), [1, 2, 3])).toThrow(new RangeError('matrix must have 16 entries, got 3'));
  });
});
