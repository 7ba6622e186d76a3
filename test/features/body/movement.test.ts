import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BODY_COLUMNS } from '../../../src/features/body/bodyFrame.ts';
import { MOVEMENT_COLUMNS, toMovement } from '../../../src/features/body/movement.ts';

type Row = Readonly<Record<string, number>>;

/** Somebody of whom everything is seen and nothing moves. */
const STILL: Row = {
  ...{ leftElbowSeen: 1, rightElbowSeen: 1, leftWristSeen: 1, rightWristSeen: 1, hipsSeen: 1, valid: 1 },
};
/** Nobody is found. */
const NOBODY: Row = {};

function toFrames(rows: readonly Row[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => BODY_COLUMNS.map((name) => row[name] ?? 0)));
}

/** The columns by name. */
function movementOf(rows: readonly Row[]): Record<string, number> {
  const movement = toMovement(toFrames(rows));
  if (!movement) throw new Error('nobody was seen');
  return Object.fromEntries(MOVEMENT_COLUMNS.map((name, i) => [name, Math.round(1e4 * movement[i]!) / 1e4]));
}

/** Rows that show somebody whose column has these values, one after the other. */
const withValues = (column: string, values: readonly number[]): Row[] =>
  values.map((value) => ({ ...STILL, [column]: value }));

const bit = fc.integer({ min: 0, max: 1 });
/** What toBodyFrame may return: flags of 0 or 1, bounded speeds, zeros where nobody was found. */
const anyRow: fc.Arbitrary<Row> = fc
  .record(
    Object.fromEntries(
      BODY_COLUMNS.map((name) => [name, /Seen$|^valid$/.test(name) ? bit : fc.float({ min: 0, max: 15, noNaN: true })]),
    ),
  )
  .map((row) => (row['valid'] === 1 ? row : NOBODY));
const anyRows = fc.array(anyRow, { minLength: 1, maxLength: 12 });

describe('MOVEMENT_COLUMNS', () => {
  it('names 29 different columns: three statistics of eight speeds, and five shares.', () => {
    expect([MOVEMENT_COLUMNS.length, new Set(MOVEMENT_COLUMNS).size]).toEqual([29, 29]);
    expect(MOVEMENT_COLUMNS.slice(0, 3)).toEqual([
      'shoulderMeanSpeedPerS',
      'shoulderMedianSpeedPerS',
      'shoulderP90SpeedPerS',
    ]);
    expect(MOVEMENT_COLUMNS.filter((name) => name.endsWith('SeenShare'))).toHaveLength(5);
    expect(MOVEMENT_COLUMNS.filter((name) => name.endsWith('SpeedPerS'))).toHaveLength(24);
  });
});

describe('toMovement', () => {
  it('takes mean, median and 90th percentile of a speed; percentiles lie between neighbours in proportion.', () => {
    const rows = withValues('leftWristSpeedPerS', [99, 4, 1, 2, 3, 10]); // the first row has none before it
    expect(movementOf(rows)).toMatchObject({
      leftWristMeanSpeedPerS: 4,
      leftWristMedianSpeedPerS: 3,
      leftWristP90SpeedPerS: 7.6, // 0.9 × 4 = place 3.6 of 1, 2, 3, 4, 10
      rightWristMeanSpeedPerS: 0,
    });
  });

  it('measures every speed by the column of the same name.', () => {
    for (const name of BODY_COLUMNS.filter((column) => column.endsWith('SpeedPerS'))) {
      const joint = name.slice(0, -'SpeedPerS'.length);
      const movement = movementOf(withValues(name, [0, 2, 2]));
      for (const statistic of ['Mean', 'Median', 'P90']) expect(movement[`${joint}${statistic}SpeedPerS`]).toBe(2);
      const pooled = joint.endsWith('Elbow') ? ['elbows'] : joint.endsWith('Wrist') ? ['wrists'] : [];
      const moved = Object.entries(movement).filter(([column, value]) => column.endsWith('PerS') && value !== 0);
      expect(new Set(moved.map(([column]) => column.replace(/(Mean|Median|P90)SpeedPerS/, '')))).toEqual(
        new Set([joint, ...pooled]),
      );
    }
  });

  it('puts both sides together for elbows and wrists, each moment of each side counting once.', () => {
    const rows = [
      STILL,
      { ...STILL, leftWristSpeedPerS: 1, rightWristSpeedPerS: 2 },
      { ...STILL, leftWristSpeedPerS: 6 },
    ];
    const hidden = { ...STILL, rightWristSeen: 0, leftWristSpeedPerS: 6 };
    expect(movementOf(rows)['wristsMeanSpeedPerS']).toBe((1 + 2 + 6 + 0) / 4);
    expect(movementOf([...rows.slice(0, 2), hidden])['wristsMeanSpeedPerS']).toBe((1 + 2 + 6) / 3);
  });

  it('is not slowed down by moments in which the joint, or the person, is not seen, nor by the row after them.', () => {
    const moving = { ...STILL, leftWristSpeedPerS: 3, shoulderSpeedPerS: 1 };
    const gone = { ...STILL, leftWristSeen: 0, shoulderSpeedPerS: 1 };
    const back = { ...moving, leftWristSpeedPerS: 0 };
    const movement = movementOf([STILL, moving, moving, gone, back, moving, NOBODY, { ...back, shoulderSpeedPerS: 0 }]);
    expect(movement).toMatchObject({
      leftWristMeanSpeedPerS: 3,
      leftWristMedianSpeedPerS: 3,
      shoulderMeanSpeedPerS: 1,
    });
  });

  it('tells a joint that never was seen from one that did not move by its share, counted over rows with a person.', () => {
    const unseen = { ...STILL, leftWristSeen: 0, leftWristSpeedPerS: 5 };
    const movement = movementOf([unseen, NOBODY, unseen, { ...unseen, hipsSeen: 0 }, { ...unseen, rightElbowSeen: 0 }]);
    expect(movement).toMatchObject({
      ...{ leftWristMeanSpeedPerS: 0, leftWristP90SpeedPerS: 0, leftWristSeenShare: 0 },
      ...{ rightWristMeanSpeedPerS: 0, rightWristSeenShare: 1, hipsSeenShare: 0.75, rightElbowSeenShare: 0.75 },
    });
  });

  it('has no speed of a single row, and says so with zeros.', () => {
    const movement = movementOf(withValues('shoulderSpeedPerS', [7]));
    expect(Object.entries(movement).filter(([name, value]) => name.endsWith('PerS') && value !== 0)).toEqual([]);
  });

  it('returns nothing when nobody was seen, or there are no rows.', () => {
    expect(toMovement(toFrames([NOBODY, NOBODY]))).toBeUndefined();
    expect(toMovement(new Float32Array(0))).toBeUndefined();
    expect(toMovement(toFrames([NOBODY, STILL]))).toHaveLength(29);
  });

  it('refuses numbers that are not whole rows.', () => {
    expect(() => toMovement(new Float32Array(29))).toThrow(new RangeError('frames must be rows of 28, got 29 numbers'));
  });

  it('is finite, keeps shares in [0, 1] and speeds within those of the rows, whatever was seen.', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const movement = toMovement(toFrames(rows));
        expect(movement === undefined).toBe(rows.every((row) => row['valid'] !== 1));
        movement?.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(MOVEMENT_COLUMNS[i]!.endsWith('Share') ? 1 : 15);
        });
      }),
    );
  });

  it('scales its speeds, and nothing else, when everything is as much faster.', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const faster = rows.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, value]) => [name, name.endsWith('PerS') ? 2 * value : value]),
          ),
        );
        const [slow, fast] = [toMovement(toFrames(rows)), toMovement(toFrames(faster))];
        slow?.forEach((value, i) =>
          expect(fast?.[i]).toBeCloseTo(MOVEMENT_COLUMNS[i]!.endsWith('Share') ? value : 2 * value, 4),
        );
      }),
    );
  });

  it('is the same for the mirrored person, with left and right exchanged.', () => {
    const mirror = (name: string): string =>
      name.startsWith('left') ? name.replace('left', 'right') : name.replace('right', 'left');
    fc.assert(
      fc.property(
        anyRows.filter((rows) => rows.some((row) => row['valid'] === 1)),
        (rows) => {
          const mirrored = rows.map((row) =>
            Object.fromEntries(Object.entries(row).map(([name, value]) => [mirror(name), value])),
          );
          const [own, other] = [movementOf(rows), movementOf(mirrored)];
          for (const name of MOVEMENT_COLUMNS) expect(other[mirror(name)]).toBeCloseTo(own[name]!, 3);
        },
      ),
    );
  });

  it('changes nothing in the rows it is given.', () => {
    const frames = toFrames(withValues('leftWristSpeedPerS', [3, 1, 2]));
    const before = frames.slice();
    toMovement(frames);
    expect(frames).toEqual(before);
  });
});
