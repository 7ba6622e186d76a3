import * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { AttentionSource } from '../ops/attentionSource.ts';
import { countOf, type Offsets } from '../ops/ragged.ts';
import type { Kernels } from './kernels.ts';

/** `attend` of ops/attention.ts on the kernels; numbers per head must be a multiple of 4. */
export function attendKernel(
  k: Kernels,
  queries: tf.Tensor2D,
  queryOffsets: Offsets,
  sources: readonly AttentionSource[],
  heads: number,
): tf.Tensor2D {
  const items = queryOffsets.length - 1;
  const size = queries.shape[1] / heads;
  return hostOp([queries, ...sources.map((source) => source.keysValues)], (keep) => {
    const value = tf.zeros<tf.Rank.R2>(queries.shape);
    const probabilities = sources.map((source) => {
      const p = k.make<tf.Rank.R1>([Math.max(1, pairsOf(source, queryOffsets) * heads)]);
      k.lend([queryOffsets, source.offsets, source.weights], (...lists) =>
        k.run.attendForward(k.at(queries), k.at(source.keysValues), k.at(value), k.at(p), ...lists, items, heads, size),
      );
      return p;
    });
    keep([queries, ...probabilities, ...sources.map((source) => source.keysValues)]);
    if (!tf.engine().isTapeOn()) tf.dispose(probabilities);
    return {
      value,
      gradFunc: (dy, [q, ...kept]) => {
        const dq = tf.zerosLike(q as tf.Tensor);
        const dkv = sources.map((source, n) => {
          const kv = kept[sources.length + n] as tf.Tensor;
          const gradient = tf.zerosLike(kv);
          k.lend([queryOffsets, source.offsets, source.weights, 4 * longest(source.offsets)], (a, b, c, scratch) =>
            k.run.attendBackward(
              k.at(q as tf.Tensor),
              k.at(kv),
              k.at(kept[n] as tf.Tensor),
              k.at(dy),
              k.at(dq),
              k.at(gradient),
              a,
              b,
              c,
              items,
              heads,
              size,
              scratch,
            ),
          );
          return gradient;
        });
        return [dq, ...dkv];
      },
    };
  });
}

/** Pairs of a query and a key in the items in which the source takes part. */
function pairsOf(source: AttentionSource, queryOffsets: Offsets): number {
  let pairs = 0;
  for (let item = 0; item + 1 < queryOffsets.length; item++)
    if (source.weights[item] !== 0) pairs += countOf(queryOffsets, item) * countOf(source.offsets, item);
  return pairs;
}

function longest(offsets: Offsets): number {
  let most = 1;
  for (let i = 0; i + 1 < offsets.length; i++) most = Math.max(most, countOf(offsets, i));
  return most;
}
