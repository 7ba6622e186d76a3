/**
 * Rows of several items packed one after the other: item `i` owns rows `offsets[i]` … `offsets[i + 1] - 1`.
 * Nothing is padded, so padding cannot change a result and no work is spent on it.
 */
export type Offsets = Int32Array;

/** Sequences of rows, each in the order in which the LSTM reads them. A row belongs to at most one sequence. */
export type RowSequences = readonly (readonly number[] | Int32Array)[];

/** Offsets `[0, n0, n0 + n1, …]` for the given row counts. */
export function toOffsets(counts: readonly number[]): Offsets {
  const offsets = new Int32Array(counts.length + 1);
  counts.forEach((count, i) => (offsets[i + 1] = (offsets[i] as number) + count));
  return offsets;
}

/** Number of rows that item `i` owns. */
export function countOf(offsets: Offsets, i: number): number {
  return (offsets[i + 1] as number) - (offsets[i] as number);
}

/** Total number of rows. */
export function totalOf(offsets: Offsets): number {
  return offsets[offsets.length - 1] as number;
}

/**
 * Interleaves several packed sources item by item: the result lists, for every output row, the row of the sources'
 * concatenation it comes from, and the new offsets.
 */
export function interleave(sources: readonly Offsets[]): { readonly index: Int32Array; readonly offsets: Offsets } {
  const items = (sources[0]?.length ?? 1) - 1;
  const bases: number[] = [];
  let total = 0;
  for (const source of sources) {
    bases.push(total);
    total += totalOf(source);
  }
  const index = new Int32Array(total);
  const offsets = new Int32Array(items + 1);
  let row = 0;
  for (let i = 0; i < items; i++) {
    sources.forEach((source, s) => {
      for (let r = source[i] as number; r < (source[i + 1] as number); r++) index[row++] = (bases[s] as number) + r;
    });
    offsets[i + 1] = row;
  }
  return { index, offsets };
}
