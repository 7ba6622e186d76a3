import * as tf from '@tensorflow/tfjs-core';
import { countOf, type Offsets } from '../ragged.ts';

/**
 * Picks rows like `gatherRows`, out of tensor operations: `[n, width]` → `[index.length, width]`; an index of -1 gives a
 * row of zeros. The gradient gathers with the inverse index, in place of the stock one, whose sum has no kernel on some
 * backends and no fixed order on others; its work grows with how often the most repeated row repeats.
 */
export function tensorGatherRows(x: tf.Tensor2D, index: Int32Array): tf.Tensor2D {
  const [rows, width] = x.shape;
  const run = (): { value: tf.Tensor2D; gradFunc: (dy: tf.Tensor2D) => tf.Tensor2D } => ({
    value: take(x, index),
    gradFunc: (dy) => {
      const { table, repeats } = inverseOf(index, rows);
      const parts = take(dy, table);
      return repeats === 1 ? parts : tf.sum(tf.reshape(parts, [rows, repeats, width]), 1);
    },
  });
  return tf.engine().isTapeOn() ? tf.customGrad(run)(x) : run().value;
}

/** Mean of each item's rows like `meanRows`, out of tensor operations: items are padded to the longest one. */
export function tensorMeanRows(x: tf.Tensor2D, offsets: Offsets): tf.Tensor2D {
  const width = x.shape[1];
  const items = offsets.length - 1;
  const { index, longest } = paddedIndex(offsets);
  const padded = tf.reshape(tensorGatherRows(x, index), [items, longest, width]);
  const scale = Float32Array.from({ length: items }, (_, i) => 1 / Math.max(1, countOf(offsets, i)));
  return tf.mul(tf.sum<tf.Tensor2D>(padded, 1), tf.tensor2d(scale, [items, 1]));
}

/**
 * Where each place of a padded block `[items, longest]` comes from in the packed rows; -1 = padding. Items that are not
 * `counted` are padding throughout. The block is never empty, so that what is computed from it stays connected.
 */
export function paddedIndex(
  offsets: Offsets,
  counted: (item: number) => boolean = () => true,
): { readonly index: Int32Array; readonly longest: number } {
  const items = offsets.length - 1;
  let longest = 1;
  for (let i = 0; i < items; i++) if (counted(i)) longest = Math.max(longest, countOf(offsets, i));
  const index = new Int32Array(items * longest).fill(-1);
  for (let i = 0; i < items; i++) {
    if (!counted(i)) continue;
    for (let k = 0; k < countOf(offsets, i); k++) index[i * longest + k] = (offsets[i] as number) + k;
  }
  return { index, longest };
}

/** Rows of `x` by index. Padding is read from a row of zeros, so that no other row, however large, can touch it. */
function take(x: tf.Tensor2D, index: Int32Array): tf.Tensor2D {
  const [rows, width] = x.shape;
  if (index.length === 0 || rows === 0) return tf.zeros([index.length, width]);
  if (!index.includes(-1)) return tf.gather(x, tf.tensor1d(index, 'int32'));
  const withZeros = tf.concat2d([x, tf.zeros<tf.Rank.R2>([1, width])], 0);
  return tf.gather(
    withZeros,
    tf.tensor1d(
      index.map((row) => (row < 0 ? rows : row)),
      'int32',
    ),
  );
}

/** For each of `rows` rows the places of `index` that name it, padded with -1 to the most there are, at least 1. */
function inverseOf(index: Int32Array, rows: number): { readonly table: Int32Array; readonly repeats: number } {
  const counts = new Int32Array(rows);
  for (const row of index) if (row >= 0) counts[row] = (counts[row] as number) + 1;
  const repeats = counts.reduce((max, count) => Math.max(max, count), 1);
  const table = new Int32Array(rows * repeats).fill(-1);
  counts.fill(0);
  index.forEach((row, place) => {
    if (row < 0) return;
    table[row * repeats + (counts[row] as number)] = place;
    counts[row] = (counts[row] as number) + 1;
  });
  return { table, repeats };
}
