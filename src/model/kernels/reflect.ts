import type * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { Kernels } from './kernels.ts';

/** `rotate` of jointEmbedding.ts on the kernels; the width must be a multiple of 4. */
export function reflectKernel(k: Kernels, x: tf.Tensor2D, normals: tf.Tensor2D, isInverse: boolean): tf.Tensor2D {
  const [reflections, width] = normals.shape;
  const rows = x.shape[0];
  const shape = [reflections, isInverse ? 1 : 0, rows, width] as const;
  return hostOp([x, normals], (keep) => {
    const value = k.make<tf.Rank.R2>([rows, width]);
    k.lend([4 * width], (unit) => k.run.reflect(k.at(x), k.at(value), k.at(normals), ...shape, unit));
    keep([value, normals]);
    return {
      value,
      gradFunc: (dy, kept) => {
        const [y, v] = kept as [tf.Tensor2D, tf.Tensor2D];
        const dx = k.make<tf.Rank.R2>([rows, width]);
        const dv = k.make<tf.Rank.R2>([reflections, width]);
        k.lend([4 * width * (rows + 2)], (unit) =>
          k.run.reflectBackward(k.at(y), k.at(dy), k.at(dx), k.at(v), k.at(dv), ...shape, unit),
        );
        return [dx, dv];
      },
    };
  });
}
