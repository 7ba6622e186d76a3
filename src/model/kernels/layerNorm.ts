import * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { Kernels } from './kernels.ts';

/** `layerNorm` of ops/layerNorm.ts on the kernels; the width must be a multiple of 4. */
export function layerNormKernel(
  k: Kernels,
  x: tf.Tensor2D,
  gain: tf.Tensor,
  bias: tf.Tensor,
  residual: tf.Tensor2D | undefined,
): tf.Tensor2D {
  const [rows, width] = x.shape;
  return hostOp([x, gain, bias, ...(residual ? [residual] : [])], (keep) => {
    const value = k.make<tf.Rank.R2>([rows, width]);
    const normal = k.make<tf.Rank.R2>([rows, width]);
    const scales = k.make<tf.Rank.R1>([rows]);
    const added = residual ? k.at(residual) : 0;
    const [g, b] = [k.at(gain), k.at(bias)];
    k.run.normForward(k.at(x), added, g, b, k.at(value), k.at(normal), k.at(scales), rows, width);
    keep([normal, scales, gain]);
    if (!tf.engine().isTapeOn()) tf.dispose([normal, scales]);
    return {
      value,
      gradFunc: (dy, kept) => {
        const [normalAt, scalesAt, gainAt] = kept.map((tensor) => k.at(tensor)) as [number, number, number];
        const dx = k.make<tf.Rank.R2>([rows, width]);
        const dGain = k.make<tf.Rank.R1>([width]);
        const dBias = k.make<tf.Rank.R1>([width]);
        k.run.normBackward(k.at(dy), normalAt, scalesAt, gainAt, k.at(dx), k.at(dGain), k.at(dBias), rows, width);
        return [dx, dGain, dBias, ...(residual ? [tf.clone(dx)] : [])];
      },
    };
  });
}
