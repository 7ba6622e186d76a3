/** The numbers from `from` to below `to`. */
export type SequenceRange = { readonly from: number; readonly to: number };

/** More ranges than this are not kept; the lowest goes. */
const MAX_RANGES = 100;

/** Returns rising ranges with a number that lies above them all, or is in one of them. */
export function addSequence(ranges: readonly SequenceRange[], sequence: number): readonly SequenceRange[] {
  const last = ranges.at(-1);
  if (last && sequence < last.to) return ranges;
  if (last?.to === sequence) return [...ranges.slice(0, -1), { from: last.from, to: sequence + 1 }];
  return [...ranges, { from: sequence, to: sequence + 1 }].slice(-MAX_RANGES);
}

/** Returns the part of the ranges that begins at `sequence`. */
export function fromSequence(ranges: readonly SequenceRange[], sequence: number): readonly SequenceRange[] {
  return ranges.filter(({ to }) => to > sequence).map(({ from, to }) => ({ from: Math.max(from, sequence), to }));
}

/** Returns how many numbers the ranges hold. */
export function lengthOf(ranges: readonly SequenceRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
