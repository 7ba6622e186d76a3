import * as tf from '@tensorflow/tfjs-core';
import { kernels } from '../kernels/kernels.ts';
import { gatherRowsKernel, meanRowsKernel } from '../kernels/rows.ts';
import { hostOp, isHostReadable } from './hostOp.ts';
import type { Offsets } from './ragged.ts';
import { countOf } from './ragged.ts';
import { tensorGatherRows, tensorMeanRows } from './tensor/rows.ts';

/** Reads a tensor's values on the host. On the cpu backend the array is the tensor's own memory: do not write into it. */
export function hostOf(tensor: tf.Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}

/**
 * Computes a tensor, disposes of everything else that was made for it, and reads it back: the one way that works on every
 * backend, because a device answers only later.
 */
export async function readBack(compute: () => tf.Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(compute);
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values;
}

/**
 * Picks rows: `[n, width]` → `[index.length, width]`; an index of -1 gives a row of zeros. Rows may repeat; the gradient
 * adds up. (The stock gradient needs a kernel the wasm backend lacks.)
 */
export function gatherRows(x: tf.Tensor2D, index: Int32Array): tf.Tensor2D {
  if (!isHostReadable()) return tensorGatherRows(x, index);
  const [rows, width] = x.shape;
  const k = x.size > 0 && index.length > 0 && width % 4 === 0 ? kernels() : undefined;
  if (k) return gatherRowsKernel(k, x, index);
  return hostOp([x], () => {
    const source = hostOf(x);
    const out = new Float32Array(index.length * width);
    for (let i = 0; i < index.length; i++) {
      const from = index[i] as number;
      if (from >= 0) out.set(source.subarray(from * width, (from + 1) * width), i * width);
    }
    return {
      value: tf.tensor2d(out, [index.length, width]),
      gradFunc: (dy: tf.Tensor) => scatterAdd(hostOf(dy), index, rows, width),
    };
  });
}

function scatterAdd(dy: Float32Array, index: Int32Array, rows: number, width: number): tf.Tensor2D {
  const out = new Float32Array(rows * width);
  for (let i = 0; i < index.length; i++) {
    const to = index[i] as number;
    if (to < 0) continue;
    for (let k = 0; k < width; k++)
      out[to * width + k] = (out[to * width + k] as number) + (dy[i * width + k] as number);
  }
  return tf.tensor2d(out, [rows, width]);
}

/** Mean of each item's rows: `[rows, width]` → `[items, width]`. An item without rows gives zeros and no gradient. */
export function meanRows(x: tf.Tensor2D, offsets: Offsets): tf.Tensor2D {
  if (!isHostReadable()) return tensorMeanRows(x, offsets);
  const width = x.shape[1];
  const items = offsets.length - 1;
  const k = x.size > 0 && items > 0 && width % 4 === 0 ? kernels() : undefined;
  if (k) return meanRowsKernel(k, x, offsets);
  return hostOp([x], () => {
    const source = hostOf(x);
    const out = new Float32Array(items * width);
    for (let i = 0; i < items; i++) {
      const scale = 1 / Math.max(1, countOf(offsets, i));
      for (let r = offsets[i] as number; r < (offsets[i + 1] as number); r++)
        for (let k = 0; k < width; k++)
          out[i * width + k] = (out[i * width + k] as number) + scale * (source[r * width + k] as number);
    }
    return {
      value: tf.tensor2d(out, [items, width]),
      gradFunc: (dy: tf.Tensor) => spread(hostOf(dy), offsets, x.shape),
    };
  });
}

function spread(dy: Float32Array, offsets: Offsets, shape: [number, number]): tf.Tensor2D {
  const [rows, width] = shape;
  const out = new Float32Array(rows * width);
  for (let i = 0; i + 1 < offsets.length; i++) {
    const scale = 1 / Math.max(1, countOf(offsets, i));
    for (let r = offsets[i] as number; r < (offsets[i + 1] as number); r++)
      for (let k = 0; k < width; k++) out[r * width + k] = scale * (dy[i * width + k] as number);
  }
  return tf.tensor2d(out, shape);
}
