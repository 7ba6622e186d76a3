import type * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { Offsets } from '../ops/ragged.ts';
import type { Kernels } from './kernels.ts';

/** `gatherRows` of ops/rows.ts on the kernels; the width must be a multiple of 4. */
export function gatherRowsKernel(k: Kernels, x: tf.Tensor2D, index: Int32Array): tf.Tensor2D {
  const [rows, width] = x.shape;
  return hostOp([x], () => {
    const value = k.make<tf.Rank.R2>([index.length, width]);
    k.lend([index], (at) => k.run.gather(k.at(value), k.at(x), at, index.length, width));
    return {
      value,
      gradFunc: (dy) => {
        const dx = k.make<tf.Rank.R2>([rows, width]);
        k.lend([index], (at) => k.run.scatter(k.at(dx), k.at(dy), at, index.length, rows, width));
        return dx;
      },
    };
  });
}

/** `meanRows` of ops/rows.ts on the kernels; the width must be a multiple of 4. */
export function meanRowsKernel(k: Kernels, x: tf.Tensor2D, offsets: Offsets): tf.Tensor2D {
  const [rows, width] = x.shape;
  const items = offsets.length - 1;
  return hostOp([x], () => {
    const value = k.make<tf.Rank.R2>([items, width]);
    k.lend([offsets], (at) => k.run.mean(k.at(value), k.at(x), at, items, width));
    return {
      value,
      gradFunc: (dy) => {
        const dx = k.make<tf.Rank.R2>([rows, width]);
        k.lend([offsets], (at) => k.run.spread(k.at(dx), k.at(dy), at, items, rows, width));
        return dx;
      },
    };
  });
}
