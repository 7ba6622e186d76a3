import * as tf from '@tensorflow/tfjs-core';
import { type Mode, MODES, type ModelConfig } from '../model/config.ts';
import { substitute } from '../model/fusion.ts';
import type { Parameters } from '../model/parameters.ts';

/** Descriptors of a batch by mode, `[size, width]`, and each mode's share per utterance (0 = not there). */
export type Described = {
  readonly descriptors: ReadonlyMap<Mode, tf.Tensor2D>;
  readonly shares: ReadonlyMap<Mode, Float32Array>;
};

/** Bounds of the learned temperature of {@link jointDivergence}. */
export const DIVERGENCE_TEMPERATURE: readonly [number, number] = [0.05, 1];

/**
 * Mean Jensen–Shannon divergence (nats, 0 to ln 2) of softmax(A_m f_m / τ) and softmax(A_n f_n / τ) over the pairs of modes
 * that an utterance has; 0 when none has two. τ is clipped to {@link DIVERGENCE_TEMPERATURE}.
 * Source: AM²-EmoJE's joint embedding with JSD; METHOD.md section 3.
 * @param temperature learned τ, `[1]`
 */
export function jointDivergence(
  p: Parameters,
  { descriptors, shares }: Described,
  temperature: tf.Tensor1D,
): tf.Scalar {
  const heard = MODES.filter((mode) => shares.get(mode)?.some((share) => share > 0));
  const tau = tf.clipByValue(temperature, ...DIVERGENCE_TEMPERATURE);
  const logs = new Map(
    heard.map((mode) => [
      mode,
      tf.logSoftmax(tf.div<tf.Tensor2D>(p.rotate(mode, descriptors.get(mode) as tf.Tensor2D, 'map'), tau)),
    ]),
  );
  const losses: tf.Scalar[] = [];
  let count = 0;
  heard.forEach((m, i) => {
    for (const n of heard.slice(i + 1)) {
      const both = bothPresent(shares, m, n);
      const rows = both.reduce((sum, x) => sum + x, 0);
      if (rows === 0) continue;
      count += rows;
      const perRow = divergence(logs.get(m) as tf.Tensor2D, logs.get(n) as tf.Tensor2D);
      losses.push(tf.sum<tf.Scalar>(tf.mul(perRow, tf.tensor1d(both))));
    }
  });
  return losses.length > 0 ? tf.div<tf.Scalar>(tf.addN(losses), count) : tf.scalar(0);
}

function bothPresent(shares: Described['shares'], m: Mode, n: Mode): Float32Array {
  return (shares.get(m) as Float32Array).map((share, i) => (share > 0 && (shares.get(n)?.[i] ?? 0) > 0 ? 1 : 0));
}

function divergence(logP: tf.Tensor2D, logQ: tf.Tensor2D): tf.Tensor1D {
  const [p, q] = [tf.exp(logP), tf.exp(logQ)];
  const logMiddle = tf.log(tf.add(tf.mul(tf.add(p, q), 0.5), 1e-12));
  const terms = tf.add(tf.mul(p, tf.sub(logP, logMiddle)), tf.mul(q, tf.sub(logQ, logMiddle)));
  return tf.mul(tf.sum(terms, 1), 0.5);
}

/**
 * Mean of 1 − cos(f̂_m, f_m) over utterances that have mode m and another: the substitute that the joint embedding would make
 * for m were it absent must resemble the true descriptor, which is held fixed. 0 when no utterance has two modes.
 * Source: METHOD.md section 3 [our decision].
 */
export function substitutionLoss(p: Parameters, config: ModelConfig, { descriptors, shares }: Described): tf.Scalar {
  const heard = new Map([...descriptors].filter(([mode]) => shares.get(mode)?.some((share) => share > 0)));
  const losses: tf.Scalar[] = [];
  let count = 0;
  for (const [mode, f] of heard) {
    const rows = (shares.get(mode) as Float32Array).map((share, i) =>
      share > 0 && MODES.some((other) => other !== mode && (shares.get(other)?.[i] ?? 0) > 0) ? 1 : 0,
    );
    const total = rows.reduce((sum, x) => sum + x, 0);
    if (total === 0) continue;
    count += total;
    const made = substitute(p, config, mode, heard, shares, {});
    const truth = fixed(f);
    const distance = tf.sub(1, cosine(made, truth));
    losses.push(tf.sum<tf.Scalar>(tf.mul(distance, tf.tensor1d(rows))));
  }
  return losses.length > 0 ? tf.div<tf.Scalar>(tf.addN(losses), count) : tf.scalar(0);
}

/** The same values, held fixed: no gradient passes. */
function fixed(x: tf.Tensor2D): tf.Tensor2D {
  return tf.customGrad((given) => ({
    value: tf.clone(given as tf.Tensor2D),
    gradFunc: () => tf.zeros(x.shape),
  }))(x);
}

function cosine(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  const length = (x: tf.Tensor2D): tf.Tensor1D => tf.sqrt(tf.add(tf.sum<tf.Tensor1D>(tf.square(x), 1), 1e-8));
  return tf.div(tf.sum<tf.Tensor1D>(tf.mul(a, b), 1), tf.mul(length(a), length(b)));
}
