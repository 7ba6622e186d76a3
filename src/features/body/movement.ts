import { BODY_COLUMNS } from './bodyFrame.ts';

/** A speed of {@link BODY_COLUMNS}: its column, and the one that says whether its joint was seen. */
type Speed = { readonly column: number; readonly seen: number };

const VALID = columnOf('valid');
const SHARES = ['leftElbow', 'rightElbow', 'leftWrist', 'rightWrist', 'hips'] as const;
/** What moves; `elbows` and `wrists` are those of both sides together. */
const MOVING: Readonly<Record<string, readonly Speed[]>> = {
  shoulder: [{ column: columnOf('shoulderSpeedPerS'), seen: VALID }],
  leftElbow: [speedOf('leftElbow')],
  rightElbow: [speedOf('rightElbow')],
  leftWrist: [speedOf('leftWrist')],
  rightWrist: [speedOf('rightWrist')],
  elbows: [speedOf('leftElbow'), speedOf('rightElbow')],
  wrists: [speedOf('leftWrist'), speedOf('rightWrist')],
  scale: [{ column: columnOf('scaleSpeedPerS'), seen: VALID }],
};

/**
 * The columns of {@link toMovement}, in order; docs/features.md explains each. `…SeenShare` in [0, 1]; the mean, the median and the
 * 90th percentile of a speed in the unit of its column of BODY_COLUMNS.
 */
export const MOVEMENT_COLUMNS: readonly string[] = [
  ...Object.keys(MOVING).flatMap((name) =>
    ['Mean', 'Median', 'P90'].map((statistic) => `${name}${statistic}SpeedPerS`),
  ),
  ...SHARES.map((name) => `${name}SeenShare`),
];

/**
 * Returns how fast a person moved over an utterance, 29 finite numbers in the order of {@link MOVEMENT_COLUMNS}, or nothing when
 * no row shows anyone. A speed counts where its joint was seen in the row and in the one before; a joint that never was has the
 * speed 0 and the share that tells. So a hand that was half the time out of the picture is no slower than one that never
 * was. Percentiles lie between neighbours in proportion.
 * @param frames Rows of BODY_COLUMNS at 10 Hz, in order of time, `[rows × 28]`, those without a person included.
 * @throws RangeError when `frames` does not consist of whole rows.
 */
export function toMovement(frames: Float32Array): Float32Array | undefined {
  const width = BODY_COLUMNS.length;
  if (frames.length % width !== 0)
    throw new RangeError(`frames must be rows of ${width}, got ${frames.length} numbers`);
  const rows = Array.from({ length: frames.length / width }, (_, r) => frames.subarray(r * width, (r + 1) * width));
  const valid = rows.filter((row) => row[VALID] === 1);
  if (valid.length === 0) return undefined;
  return Float32Array.from([
    ...Object.values(MOVING).flatMap((speeds) => {
      const values = speeds.flatMap((speed) => valuesOf(rows, speed)).sort((a, b) => a - b);
      return [mean(values), percentile(values, 0.5), percentile(values, 0.9)];
    }),
    ...SHARES.map((joint) => mean(valid.map((row) => row[columnOf(`${joint}Seen`)] ?? 0))),
  ]);
}

function valuesOf(rows: readonly Float32Array[], { column, seen }: Speed): number[] {
  return rows.flatMap((row, r) => (row[seen] === 1 && rows[r - 1]?.[seen] === 1 ? (row[column] ?? []) : []));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Of values in ascending order; 0 without any. */
function percentile(values: readonly number[], share: number): number {
  const place = share * Math.max(0, values.length - 1);
  const below = values[Math.floor(place)] ?? 0;
  return below + (place % 1) * ((values[Math.ceil(place)] ?? below) - below);
}

function speedOf(joint: string): Speed {
  return { column: columnOf(`${joint}SpeedPerS`), seen: columnOf(`${joint}Seen`) };
}

function columnOf(name: string): number {
  return BODY_COLUMNS.indexOf(name);
}
