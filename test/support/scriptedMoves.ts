import { createCanvas } from '@napi-rs/canvas';
import { drawAvatar, type Pose, REST_POSE } from '../../fixtures/makeCallAvatar.ts';
import { LOOKS } from '../../fixtures/makeCallLooks.ts';
import { BODY_COLUMNS } from '../../src/features/body/bodyFrame.ts';
import { FACE_COLUMNS } from '../../src/features/face/faceFrame.ts';
import { drawFigure } from './armedFigure.ts';
import type { PixelPicture } from './callVideo.ts';

type Row = ArrayLike<number>;

/** What is drawn, how it is read off a row, and how closely the two must go together. */
export type Scripted = {
  readonly name: string;
  readonly drawn: (step: number) => number;
  readonly read: (row: Row) => number;
  readonly least: number;
};

/** Ten pictures a second. */
const STEP_MS = 100;
/** So long is an avatar drawn that moves one part of its face after the other, and a figure that raises its arms. */
export const FACE_STEPS = 120;
export const BODY_STEPS = 80;

/** What the avatar of {@link facePicture} does. */
export const FACE_SCRIPT: readonly Scripted[] = [
  { name: 'smile', drawn: (step) => poseAt(step).smile, read: both('mouthSmile'), least: 0.9 },
  { name: 'blink', drawn: (step) => poseAt(step).lids, read: both('eyeBlink'), least: 0.9 },
  { name: 'yaw', drawn: (step) => poseAt(step).yaw, read: (row) => face(row, 'yawRad'), least: 0.9 },
  { name: 'jaw', drawn: (step) => poseAt(step).jaw, read: (row) => share(row, 'jawOpen'), least: 0.7 },
  { name: 'brow down', drawn: (step) => poseAt(step).browFrown, read: both('browDown'), least: 0.7 },
];

/** What the figure of {@link bodyPicture} does. */
export const BODY_SCRIPT: readonly Scripted[] = [
  {
    name: 'arms up',
    drawn: raisedAt,
    read: (row) => -body(row, 'leftWristY') - body(row, 'rightWristY'),
    least: 0.9,
  },
  {
    name: 'wrist speed',
    drawn: (step) => Math.abs(raisedAt(step) - raisedAt(step - 1)),
    read: (row) => body(row, 'leftWristSpeedPerS') + body(row, 'rightWristSpeedPerS'),
    least: 0.7,
  },
];

/** The avatar at a step of its script. */
export function facePicture(step: number): PixelPicture {
  const ctx = createCanvas(640, 480).getContext('2d');
  drawAvatar(ctx, LOOKS.Ada, poseAt(step));
  const { data } = ctx.getImageData(0, 0, 640, 480);
  const rgba = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { atMs: step * STEP_MS, width: 640, height: 480, rgba };
}

/** The figure at a step of its script. */
export function bodyPicture(step: number): PixelPicture {
  const raised = raisedAt(step);
  return { ...drawFigure({ shoulder: 0.35 + raised * 0.5, elbow: 0.2 + raised * 1.5 }), atMs: step * STEP_MS };
}

/**
 * How closely what was read goes together with what was drawn: Pearson's r for each part of a script. The first row, which has no
 * speed, and steps without a row are left out.
 */
export function correlations(script: readonly Scripted[], rows: readonly (Row | undefined)[]): Record<string, number> {
  const seen = rows.flatMap((row, step) => (row && step > 0 ? [{ row, step }] : []));
  return Object.fromEntries(
    script.map(({ name, drawn, read }) => [
      name,
      correlation(
        seen.map(({ step }) => drawn(step)),
        seen.map(({ row }) => read(row)),
      ),
    ]),
  );
}

/** Blendshapes as shares again: rows hold log-odds above a floor. */
export function toShare(logOddsAboveFloor: number): number {
  return 1 / (1 + Math.exp(-logOddsAboveFloor - Math.log(1e-4 / (1 - 1e-4))));
}

function share(row: Row, column: string): number {
  return toShare(face(row, column));
}

function both(name: string): (row: Row) => number {
  return (row) => share(row, `${name}Left`) + share(row, `${name}Right`);
}

function face(row: Row, column: string): number {
  return row[FACE_COLUMNS.indexOf(column)] ?? NaN;
}

function body(row: Row, column: string): number {
  return row[BODY_COLUMNS.indexOf(column)] ?? NaN;
}

/** One movement after the other, so that each can be told. */
function poseAt(step: number): Pose {
  const seconds = (step * STEP_MS) / 1_000;
  const moved = (from: number): number => (seconds >= from && seconds < from + 2.4 ? wave(seconds - from, 1.2) : 0);
  return {
    ...REST_POSE,
    smile: moved(0),
    lids: moved(2.4),
    yaw: moved(4.8) * 0.8,
    jaw: moved(7.2),
    browFrown: moved(9.6),
  };
}

/** Up and down in 3 s for a while, then in 1.5 s. */
function raisedAt(step: number): number {
  const seconds = (step * STEP_MS) / 1_000;
  return wave(seconds, seconds < 3 ? 3 : 1.5);
}

/** From 0 to 1 and back in `period` s. */
function wave(seconds: number, period: number): number {
  return 0.5 - 0.5 * Math.cos((2 * Math.PI * seconds) / period);
}

/** Pearson's r of two series of the same length. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = mean(a.map((value, i) => (value - meanA) * ((b[i] ?? 0) - meanB)));
  const spread = (values: readonly number[], middle: number): number =>
    Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  return covariance / (spread(a, meanA) * spread(b, meanB));
}
