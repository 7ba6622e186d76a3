import * as tf from '@tensorflow/tfjs-core';
import { attendKernel } from '../kernels/attention.ts';
import { kernels } from '../kernels/kernels.ts';
import type { AttentionSource } from './attentionSource.ts';
import { hostOp, isHostReadable } from './hostOp.ts';
import type { Offsets } from './ragged.ts';
import { countOf } from './ragged.ts';
import { hostOf } from './rows.ts';
import { tensorAttend } from './tensor/attention.ts';

export type { AttentionSource };

/**
 * Multi-head attention from packed queries to several packed sources, item by item:
 * Σ_n w_n · softmax(q k_nᵀ / √d_h) v_n, heads side by side; `[query rows, width]`. An excluded source takes no part:
 * it is not a vector of zeros that others attend to.
 * Source: AMuSE (arXiv 2401.15164) equation 1 with the mask of METHOD.md section 2; the output projection is outside.
 */
export function attend(
  queries: tf.Tensor2D,
  queryOffsets: Offsets,
  sources: readonly AttentionSource[],
  heads: number,
): tf.Tensor2D {
  if (!isHostReadable()) return tensorAttend(queries, queryOffsets, sources, heads);
  const width = queries.shape[1];
  const k = queries.size > 0 && (width / heads) % 4 === 0 ? kernels() : undefined;
  if (k) return attendKernel(k, queries, queryOffsets, sources, heads);
  return hostOp([queries, ...sources.map((source) => source.keysValues)], () => {
    const q = hostOf(queries);
    const kv = sources.map((source) => hostOf(source.keysValues));
    const out = new Float32Array(q.length);
    const shape = { width, heads, queryOffsets };
    const probabilities = sources.map((source, n) => attendOne(q, kv[n] as Float32Array, source, shape, out));
    return {
      value: tf.tensor2d(out, queries.shape),
      gradFunc: (dy: tf.Tensor) => {
        const d = hostOf(dy);
        const dq = new Float32Array(q.length);
        const dkv = sources.map((source, n) =>
          backwardOne({ q, kv: kv[n] as Float32Array, p: probabilities[n] as Float32Array, d, dq }, source, shape),
        );
        return [tf.tensor2d(dq, queries.shape), ...dkv.map((g, n) => tf.tensor2d(g, sources[n]?.keysValues.shape))];
      },
    };
  });
}

type Shape = { readonly width: number; readonly heads: number; readonly queryOffsets: Offsets };

/** Adds one source's part to `out` and returns its attention probabilities in order of item, head, query, key. */
function attendOne(
  q: Float32Array,
  kv: Float32Array,
  source: AttentionSource,
  shape: Shape,
  out: Float32Array,
): Float32Array {
  const { width, heads, queryOffsets } = shape;
  const size = width / heads;
  const scale = 1 / Math.sqrt(size);
  const p = new Float32Array(probabilityCount(source, shape));
  let at = 0;
  for (let item = 0; item + 1 < queryOffsets.length; item++) {
    const weight = source.weights[item] as number;
    const keys = countOf(source.offsets, item);
    if (weight === 0 || keys === 0) continue;
    const first = source.offsets[item] as number;
    for (let h = 0; h < heads; h++)
      for (let r = queryOffsets[item] as number; r < (queryOffsets[item + 1] as number); r++, at += keys) {
        const qAt = r * width + h * size;
        softmaxScores(q, qAt, kv, first * 2 * width + h * size, { keys, stride: 2 * width, size, scale }, p, at);
        for (let j = 0; j < keys; j++) {
          const share = weight * (p[at + j] as number);
          const v = (first + j) * 2 * width + width + h * size;
          for (let k = 0; k < size; k++) out[qAt + k] = (out[qAt + k] as number) + share * (kv[v + k] as number);
        }
      }
  }
  return p;
}

type Block = { readonly keys: number; readonly stride: number; readonly size: number; readonly scale: number };

function softmaxScores(
  q: Float32Array,
  qAt: number,
  kv: Float32Array,
  kAt: number,
  block: Block,
  p: Float32Array,
  at: number,
): void {
  const { keys, stride, size, scale } = block;
  let max = -Infinity;
  for (let j = 0; j < keys; j++) {
    let dot = 0;
    for (let k = 0; k < size; k++) dot += (q[qAt + k] as number) * (kv[kAt + j * stride + k] as number);
    p[at + j] = dot * scale;
    if (dot * scale > max) max = dot * scale;
  }
  let sum = 0;
  for (let j = 0; j < keys; j++) {
    const e = Math.exp((p[at + j] as number) - max);
    p[at + j] = e;
    sum += e;
  }
  for (let j = 0; j < keys; j++) p[at + j] = (p[at + j] as number) / sum;
}

function probabilityCount(source: AttentionSource, shape: Shape): number {
  let count = 0;
  for (let item = 0; item + 1 < shape.queryOffsets.length; item++)
    if (source.weights[item] !== 0)
      count += shape.heads * countOf(shape.queryOffsets, item) * countOf(source.offsets, item);
  return count;
}

type Saved = { q: Float32Array; kv: Float32Array; p: Float32Array; d: Float32Array; dq: Float32Array };

/** Adds one source's part to `dq` and returns the gradient of its keys and values. */
function backwardOne(saved: Saved, source: AttentionSource, shape: Shape): Float32Array {
  const { width, heads, queryOffsets } = shape;
  const size = width / heads;
  const scale = 1 / Math.sqrt(size);
  const dkv = new Float32Array(saved.kv.length);
  const scores = new Float64Array(maxCount(source.offsets));
  let at = 0;
  for (let item = 0; item + 1 < queryOffsets.length; item++) {
    const weight = source.weights[item] as number;
    const keys = countOf(source.offsets, item);
    if (weight === 0 || keys === 0) continue;
    const first = source.offsets[item] as number;
    for (let h = 0; h < heads; h++)
      for (let r = queryOffsets[item] as number; r < (queryOffsets[item + 1] as number); r++, at += keys)
        backwardRow(saved, dkv, scores, {
          qAt: r * width + h * size,
          kAt: first * 2 * width + h * size,
          at,
          keys,
          size,
          width,
          scale,
          weight,
        });
  }
  return dkv;
}

type Row = {
  qAt: number;
  kAt: number;
  at: number;
  keys: number;
  size: number;
  width: number;
  scale: number;
  weight: number;
};

function backwardRow(saved: Saved, dkv: Float32Array, scores: Float64Array, row: Row): void {
  const { q, kv, p, d, dq } = saved;
  const { qAt, kAt, at, keys, size, width, scale, weight } = row;
  let mean = 0;
  for (let j = 0; j < keys; j++) {
    const v = kAt + j * 2 * width + width;
    const pj = p[at + j] as number;
    let dp = 0;
    for (let k = 0; k < size; k++) {
      const dk = weight * (d[qAt + k] as number);
      dp += dk * (kv[v + k] as number);
      dkv[v + k] = (dkv[v + k] as number) + pj * dk;
    }
    scores[j] = dp;
    mean += dp * pj;
  }
  for (let j = 0; j < keys; j++) {
    const ds = scale * (p[at + j] as number) * ((scores[j] as number) - mean);
    const key = kAt + j * 2 * width;
    for (let k = 0; k < size; k++) {
      dq[qAt + k] = (dq[qAt + k] as number) + ds * (kv[key + k] as number);
      dkv[key + k] = (dkv[key + k] as number) + ds * (q[qAt + k] as number);
    }
  }
}

function maxCount(offsets: Offsets): number {
  let max = 0;
  for (let i = 0; i + 1 < offsets.length; i++) max = Math.max(max, countOf(offsets, i));
  return max;
}
