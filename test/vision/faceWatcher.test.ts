import type { FaceLandmarkerResult } from '@mediapipe/tasks-vision';
import { describe, expect, it } from 'vitest';
import { BLENDSHAPES } from '../../src/features/face/blendshapes.ts';
import { FACE_COLUMNS } from '../../src/features/face/faceFrame.ts';
import { readFace } from '../../src/vision/faceWatcher.ts';

/** An answer of the library: one face for each height, as a share of the picture, all turned by `yawRad`, smiling by number. */
function answerOf(heights: readonly number[], yawRad = 0, pitchRad = 0): FaceLandmarkerResult {
  const landmark = (y: number) => ({ x: 0.5, y, z: 0, visibility: 1 });
  return {
    faceLandmarks: heights.map((height) => [landmark(0.5 - height / 2), landmark(0.5 + height / 2)]),
    faceBlendshapes: heights.map((_, i) => ({
      categories: BLENDSHAPES.map((categoryName, index) => ({
        index,
        categoryName,
        displayName: '',
        score: categoryName === 'mouthSmileLeft' ? (i + 1) / 10 : 0,
      })),
      headIndex: 0,
      headName: '',
    })),
    facialTransformationMatrixes: heights.map(() => ({ rows: 4, columns: 4, data: rotation(yawRad, pitchRad) })),
  };
}

/** Ry(yaw) Rx(pitch), column-major, half a metre away. */
function rotation(yaw: number, pitch: number): number[] {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [cy, 0, -sy, 0, sy * sp, cp, cy * sp, 0, sy * cp, -sp, cy * cp, 0, 0, 0, -50, 1];
}

const DEGREE = Math.PI / 180;

describe('readFace', () => {
  it('gives the row of a face that can be read', () => {
    const row = readFace(answerOf([0.5], 0.2), 480, []);
    expect(row).toBeInstanceOf(Float32Array);
    expect((row as Float32Array).at(-1)).toBe(1);
  });

  it('says why there is none', () => {
    expect(readFace(answerOf([]), 480, [])).toBe('no_face');
    expect(readFace(answerOf([39 / 480]), 480, [])).toBe('face_small');
    expect(readFace(answerOf([41 / 480]), 480, [])).toBeInstanceOf(Float32Array);
    expect(readFace(answerOf([0.5], 51 * DEGREE), 480, [])).toBe('face_turned');
    expect(readFace(answerOf([0.5], -51 * DEGREE), 480, [])).toBe('face_turned');
    expect(readFace(answerOf([0.5], 0, 41 * DEGREE), 480, [])).toBe('face_turned');
    expect(readFace(answerOf([0.5], 49 * DEGREE, 39 * DEGREE), 480, [])).toBeInstanceOf(Float32Array);
  });

  it('takes the face that is clearly largest, and none when another is nearly as large', () => {
    const smile = (row: unknown): number => (row as Float32Array)[FACE_COLUMNS.indexOf('mouthSmileLeft')] ?? NaN;
    const second = readFace(answerOf([0.2, 0.5]), 480, []);
    const first = readFace(answerOf([0.5, 0.2]), 480, []);
    expect(smile(second)).toBeGreaterThan(smile(first));
    expect(readFace(answerOf([0.5, 0.3]), 480, [])).toBe('several_faces');
  });

  it('is covered by a hand on it, not by one beside it, nor by one on a face that cannot be read anyway', () => {
    const middle = [{ x: 0.5, y: 0.4 }];
    expect(readFace(answerOf([0.5]), 480, middle)).toBe('face_covered');
    expect(readFace(answerOf([0.5]), 480, [{ x: 0.8, y: 0.4 }])).toBeInstanceOf(Float32Array);
    expect(readFace(answerOf([0.5], 51 * DEGREE), 480, middle)).toBe('face_turned');
    expect(readFace(answerOf([39 / 480]), 480, [{ x: 0.5, y: 0.5 }])).toBe('face_small');
    expect(readFace(answerOf([]), 480, middle)).toBe('no_face');
  });

  it('has no face where a number is none', () => {
    const broken = answerOf([0.5]);
    const [category] = broken.faceBlendshapes[0]?.categories.slice(3) ?? [];
    if (category) category.score = NaN;
    expect(readFace(broken, 480, [])).toBe('no_face');
  });
});
