import * as tf from '@tensorflow/tfjs-core';
import type { AttentionSource } from '../attentionSource.ts';
import type { Offsets } from '../ragged.ts';
import { paddedIndex, tensorGatherRows } from './rows.ts';

/** Added to the logits of padding: far below any real one, and finite, so that a row of nothing but padding stays finite. */
const PADDING_LOGIT = -1e9;

/**
 * Multi-head attention like `attend`, out of tensor operations: items are padded to the longest one, and padding is masked
 * out of the softmax. An item from which a source is excluded is padding to that source: its rows are never read.
 * Memory grows with items × heads × the longest item's queries × the longest item's keys.
 */
export function tensorAttend(
  queries: tf.Tensor2D,
  queryOffsets: Offsets,
  sources: readonly AttentionSource[],
  heads: number,
): tf.Tensor2D {
  const width = queries.shape[1];
  const items = queryOffsets.length - 1;
  const { index, longest } = paddedIndex(queryOffsets);
  const block = { items, heads, size: width / heads };
  const q = toHeads(tensorGatherRows(queries, index), block, longest);
  const parts = sources.map((source) => attendOne(q, source, block));
  const sum = parts.length === 1 ? (parts[0] as tf.Tensor3D) : tf.addN(parts);
  const merged = tf.transpose(tf.reshape(sum, [items, heads, longest, block.size]), [0, 2, 1, 3]);
  return tensorGatherRows(tf.reshape(merged, [items * longest, width]), placesOf(index, queries.shape[0]));
}

type Block = { readonly items: number; readonly heads: number; readonly size: number };

/** One source's part, `[items · heads, queries, size]`. An item with nothing but padding attends to zeros, and so adds none. */
function attendOne(q: tf.Tensor3D, source: AttentionSource, block: Block): tf.Tensor3D {
  const { items, heads, size } = block;
  const { index, longest } = paddedIndex(source.offsets, (item) => source.weights[item] !== 0);
  const [k, v] = tf
    .split(tensorGatherRows(source.keysValues, index), 2, 1)
    .map((half) => toHeads(half as tf.Tensor2D, block, longest)) as [tf.Tensor3D, tf.Tensor3D];
  const scores = tf.mul<tf.Tensor3D>(tf.matMul(q, tf.transpose(k, [0, 2, 1])), 1 / Math.sqrt(size));
  const mask = tf.tensor3d(
    perHead(index, heads, items, (row) => (row < 0 ? PADDING_LOGIT : 0)),
    [items * heads, 1, longest],
  );
  const shares = tf.tensor3d(
    perHead(source.weights, heads, items, (weight) => weight),
    [items * heads, 1, 1],
  );
  return tf.mul(tf.matMul(tf.softmax(tf.add<tf.Tensor3D>(scores, mask)), v), shares);
}

/** `[items · rows, width]` → `[items · heads, rows, size]`. */
function toHeads(x: tf.Tensor2D, { items, heads, size }: Block, rows: number): tf.Tensor3D {
  const split = tf.transpose(tf.reshape(x, [items, rows, heads, size]), [0, 2, 1, 3]);
  return tf.reshape(split, [items * heads, rows, size]);
}

/** Repeats each item's block of values for each head. */
function perHead(
  values: Int32Array | Float32Array,
  heads: number,
  items: number,
  convert: (value: number) => number,
): Float32Array {
  const length = values.length / items;
  const out = new Float32Array(values.length * heads);
  for (let item = 0; item < items; item++)
    for (let h = 0; h < heads; h++)
      for (let k = 0; k < length; k++)
        out[(item * heads + h) * length + k] = convert(values[item * length + k] as number);
  return out;
}

/** Where each packed row stands in the padded block. */
function placesOf(index: Int32Array, rows: number): Int32Array {
  const places = new Int32Array(rows).fill(-1);
  index.forEach((row, place) => {
    if (row >= 0) places[row] = place;
  });
  return places;
}
