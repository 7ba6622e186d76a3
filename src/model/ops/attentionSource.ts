import type * as tf from '@tensorflow/tfjs-core';
import type { Offsets } from './ragged.ts';

/**
 * One source that is attended to: keys and values side by side, `[rows, 2 · width]`, packed by item, and the weight of
 * this source for each item (0 = excluded; weights of all sources of an item sum to 1 or are all 0).
 */
export type AttentionSource = {
  readonly keysValues: tf.Tensor2D;
  readonly offsets: Offsets;
  readonly weights: Float32Array;
};
