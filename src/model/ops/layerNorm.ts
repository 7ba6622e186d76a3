import * as tf from '@tensorflow/tfjs-core';
import { kernels } from '../kernels/kernels.ts';
import { layerNormKernel } from '../kernels/layerNorm.ts';
import { hostOp, isHostReadable } from './hostOp.ts';
import { hostOf } from './rows.ts';
import { tensorLayerNorm } from './tensor/layerNorm.ts';

const EPSILON = 1e-5;

/** What a layer normalisation may be given: something to add to `x` first, and the values of gain and bias, already read. */
export type NormOptions = {
  readonly residual?: tf.Tensor2D | undefined;
  readonly gainValues?: Float32Array;
  readonly biasValues?: Float32Array;
};

/**
 * Layer normalisation of each row of `x` (plus `residual`): `[rows, width]`, with gain and bias of shape `[width]`.
 * One host kernel forward and one backward, in place of ten tensor operations. Source: Ba et al. 2016,
 * arXiv 1607.06450, equation 4; ε = 1e-5 inside the square root.
 */
export function layerNorm(x: tf.Tensor2D, gain: tf.Tensor, bias: tf.Tensor, options: NormOptions = {}): tf.Tensor2D {
  if (!isHostReadable()) return tensorLayerNorm(x, { gain, bias, epsilon: EPSILON }, options.residual);
  const [rows, width] = x.shape;
  const k = x.size > 0 && width % 4 === 0 ? kernels() : undefined;
  if (k) return layerNormKernel(k, x, gain, bias, options.residual);
  const { residual, gainValues: g = hostOf(gain), biasValues: b = hostOf(bias) } = options;
  return hostOp([x, gain, bias, ...(residual ? [residual] : [])], () => {
    const input = residual ? sum(hostOf(x), hostOf(residual)) : hostOf(x);
    const normal = new Float32Array(rows * width);
    const scales = new Float32Array(rows);
    const out = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) normaliseRow(input, r * width, width, normal, scales, r);
    for (let i = 0, k = 0; i < out.length; i++, k = k + 1 === width ? 0 : k + 1)
      out[i] = (normal[i] as number) * (g[k] as number) + (b[k] as number);
    return {
      value: tf.tensor2d(out, [rows, width]),
      gradFunc: (dy: tf.Tensor) => {
        const [dx, ...rest] = backward(hostOf(dy), { normal, scales, gain: g, rows, width });
        return [dx as tf.Tensor, ...rest, ...(residual ? [tf.clone(dx as tf.Tensor)] : [])];
      },
    };
  });
}

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value + (b[i] as number));
}

function normaliseRow(
  x: Float32Array,
  at: number,
  width: number,
  normal: Float32Array,
  scales: Float32Array,
  r: number,
): void {
  let mean = 0;
  for (let k = 0; k < width; k++) mean += x[at + k] as number;
  mean /= width;
  let variance = 0;
  for (let k = 0; k < width; k++) variance += ((x[at + k] as number) - mean) ** 2;
  const scale = 1 / Math.sqrt(variance / width + EPSILON);
  scales[r] = scale;
  for (let k = 0; k < width; k++) normal[at + k] = ((x[at + k] as number) - mean) * scale;
}

type Saved = { normal: Float32Array; scales: Float32Array; gain: Float32Array; rows: number; width: number };

function backward(dy: Float32Array, saved: Saved): tf.Tensor[] {
  const { normal, scales, gain, rows, width } = saved;
  const dx = new Float32Array(rows * width);
  const dGain = new Float32Array(width);
  const dBias = new Float32Array(width);
  for (let r = 0; r < rows; r++) {
    const at = r * width;
    let sum = 0;
    let dot = 0;
    for (let k = 0; k < width; k++) {
      const d = dy[at + k] as number;
      const n = normal[at + k] as number;
      dGain[k] = (dGain[k] as number) + d * n;
      dBias[k] = (dBias[k] as number) + d;
      sum += d * (gain[k] as number);
      dot += d * (gain[k] as number) * n;
    }
    const scale = scales[r] as number;
    for (let k = 0; k < width; k++)
      dx[at + k] =
        scale * ((dy[at + k] as number) * (gain[k] as number) - (sum + (normal[at + k] as number) * dot) / width);
  }
  return [tf.tensor2d(dx, [rows, width]), tf.tensor1d(dGain), tf.tensor1d(dBias)];
}
