import * as tf from '@tensorflow/tfjs-core';

/** What every row is worth to a classification loss. */
export type Targets = {
  /** `[rows, labels]`: one-hot, smoothed; zeros where unlabelled. */
  readonly distribution: tf.Tensor2D;
  /** `[rows]`: class weight, 0 where the row does not count. */
  readonly weights: tf.Tensor1D;
};

/**
 * Focal loss, averaged by weight: −Σ w (1 − p_y)^γ Σ_c t_c log p_c / Σ w. 0 when no row counts.
 * Source: Lin et al. 2017, arXiv 1708.02002, equation 4, with smoothed targets t [our decision].
 */
export function focalLoss(logits: tf.Tensor2D, targets: Targets, gamma: number): tf.Scalar {
  const logP = tf.logSoftmax(logits);
  const crossEntropy = tf.neg(tf.sum(tf.mul(logP, targets.distribution), 1));
  const pTrue = tf.clipByValue(
    tf.exp(tf.sum(tf.mul(logP, tf.oneHot(tf.argMax(targets.distribution, 1), logits.shape[1])), 1)),
    0,
    1,
  );
  const focus =
    gamma === 0 ? tf.onesLike(pTrue) : gamma === 1 ? tf.sub(1, pTrue) : tf.pow(tf.sub(1 + 1e-6, pTrue), gamma);
  const total = tf.add(tf.sum(targets.weights), 1e-6);
  return tf.div<tf.Scalar>(tf.sum(tf.mul(tf.mul(focus, crossEntropy), targets.weights)), total);
}

/** Targets for rows with the given labels; a row without a label, or not `counted`, has weight 0; `counted` may give a factor. */
export function toTargets(
  labels: readonly (number | undefined)[],
  classWeights: readonly number[],
  smoothing: number,
  counted: (row: number) => boolean | number = () => true,
): Targets {
  const classes = classWeights.length;
  const distribution = new Float32Array(labels.length * classes);
  const weights = new Float32Array(labels.length);
  labels.forEach((label, row) => {
    if (label === undefined) return;
    distribution.fill(smoothing / classes, row * classes, (row + 1) * classes);
    distribution[row * classes + label] = 1 - smoothing + smoothing / classes;
    weights[row] = (classWeights[label] as number) * Number(counted(row));
  });
  return { distribution: tf.tensor2d(distribution, [labels.length, classes]), weights: tf.tensor1d(weights) };
}

/** Class weights share^-power, scaled so that their mean over the data is 1; a class that never occurs gets 0. */
export function classWeights(prior: readonly number[], power: number): number[] {
  const raw = prior.map((share) => (share > 0 ? share ** -power : 0));
  const mean = raw.reduce((sum, weight, i) => sum + weight * (prior[i] as number), 0);
  return raw.map((weight) => weight / mean);
}
