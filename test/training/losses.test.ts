import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { createRandom } from '../../src/model/random.ts';
import { classWeights, focalLoss, toTargets } from '../../src/training/losses.ts';

beforeAll(async () => {
  await startTensorBackend('cpu');
  await installGradients();
});

const random = createRandom(2);
const LOGITS = Array.from({ length: 5 }, () => Array.from({ length: 3 }, () => 4 * random() - 2));
const LABELS = [0, 2, undefined, 1, 1];
const WEIGHTS = [0.5, 1, 2];

/** Equation 4 of Lin et al. with smoothed targets, in double precision, one number after the other. */
function slowLoss(logits: readonly (readonly number[])[], smoothing: number, gamma: number): number {
  let [sum, total] = [0, 0];
  logits.forEach((row, i) => {
    const label = LABELS[i];
    if (label === undefined) return;
    const powers = row.map(Math.exp);
    const all = powers.reduce((a, b) => a + b, 0);
    const p = powers.map((power) => power / all);
    const crossEntropy = p.reduce((ce, share, c) => {
      const target = smoothing / 3 + (c === label ? 1 - smoothing : 0);
      return ce - target * Math.log(share);
    }, 0);
    sum += WEIGHTS[label]! * (1 - p[label]!) ** gamma * crossEntropy;
    total += WEIGHTS[label]!;
  });
  return sum / total;
}

const lossOf = (logits: readonly (readonly number[])[], smoothing: number, gamma: number): number =>
  tf.tidy(
    () =>
      focalLoss(
        tf.tensor2d(logits.map((row) => [...row])),
        toTargets(LABELS, WEIGHTS, smoothing),
        gamma,
      ).dataSync<'float32'>()[0]!,
  );

describe('focalLoss', () => {
  it.each([
    [0, 0],
    [0, 1],
    [0, 2],
    [0.1, 0],
    [0.1, 1],
    [0.1, 2.5],
  ])('is the formula, with smoothing %s and gamma %s.', (smoothing, gamma) => {
    // 32-bit floats, and 1e-6 in the denominator.
    expect(Math.abs(lossOf(LOGITS, smoothing, gamma) - slowLoss(LOGITS, smoothing, gamma))).toBeLessThan(1e-5);
  });

  it('is the weighted cross entropy when gamma is 0.', () => {
    const crossEntropy = tf.tidy(() => {
      const logP = tf.logSoftmax(tf.tensor2d(LOGITS)).arraySync();
      const rows = LABELS.flatMap((label, i) => (label === undefined ? [] : [[WEIGHTS[label]!, logP[i]![label]!]]));
      return -rows.reduce((sum, [w, l]) => sum + w! * l!, 0) / rows.reduce((sum, [w]) => sum + w!, 0);
    });
    expect(lossOf(LOGITS, 0, 0)).toBeCloseTo(crossEntropy, 5);
  });

  it.each([0, 1, 2])('has the gradient that differences have, with gamma %s; unlabelled rows have none.', (gamma) => {
    const gradient = tf.tidy(() =>
      tf
        .grad((x: tf.Tensor) => focalLoss(x as tf.Tensor2D, toTargets(LABELS, WEIGHTS, 0.1), gamma))(
          tf.tensor2d(LOGITS),
        )
        .arraySync(),
    ) as number[][];
    const step = 1e-5;
    const moved = (i: number, c: number, by: number): number =>
      slowLoss(
        LOGITS.map((row, r) => row.map((z, k) => (r === i && k === c ? z + by : z))),
        0.1,
        gamma,
      );
    LOGITS.forEach((row, i) =>
      row.forEach((_, c) => {
        const difference = (moved(i, c, step) - moved(i, c, -step)) / (2 * step);
        expect(Math.abs(gradient[i]![c]! - difference)).toBeLessThan(2e-5);
      }),
    );
    expect(gradient[2]).toEqual([0, 0, 0]);
    expect(gradient.flat().some((g) => Math.abs(g) > 0.01)).toBe(true);
  });

  it('does not change with what an unlabelled row holds, and is 0 when nothing counts.', () => {
    const other = LOGITS.map((row, i) => (i === 2 ? [50, -50, 3] : row));
    expect(lossOf(other, 0.1, 1)).toBe(lossOf(LOGITS, 0.1, 1));
    const nothing = tf.tidy(() => {
      const targets = toTargets([undefined, 1], WEIGHTS, 0.1, () => false);
      return focalLoss(tf.tensor2d([9, -9, 0, 1, 2, 3], [2, 3]), targets, 1).dataSync<'float32'>()[0];
    });
    expect(nothing).toBe(0);
  });

  it('stays finite for answers that are certain, right or wrong, whatever gamma is.', () => {
    for (const gamma of [0, 1, 2])
      for (const label of [0, 1]) {
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
          focalLoss(x as tf.Tensor2D, toTargets([label], [1, 1], 0), gamma),
        )(tf.tensor2d([[60, -60]]));
        expect(Number.isFinite(value.dataSync<'float32'>()[0])).toBe(true);
        expect(grad.dataSync<'float32'>().every(Number.isFinite)).toBe(true);
        tf.dispose([value, grad]);
      }
  });
});

describe('toTargets', () => {
  it('gives smoothed rows that sum to 1, weights of the classes, and zeros where nothing counts.', () => {
    const { distribution, weights } = toTargets([1, undefined, 0], [2, 3], 0.2, (row) => row !== 2);
    const rows = distribution.arraySync();
    expect(rows[0]!.map((x) => Math.round(x * 1e6) / 1e6)).toEqual([0.1, 0.9]);
    expect(rows[1]).toEqual([0, 0]);
    expect([...weights.dataSync<'float32'>()]).toEqual([3, 0, 0]);
    tf.dispose([distribution, weights]);
  });
});

describe('classWeights', () => {
  const prior = [0.5, 0.3, 0.2, 0];
  const mean = (weights: readonly number[]): number => weights.reduce((sum, w, c) => sum + w * prior[c]!, 0);

  it.each([0, 0.3, 1])('has mean 1 over the data, with power %s, and 0 for what never occurs.', (power) => {
    const weights = classWeights(prior, power);
    expect(mean(weights)).toBeCloseTo(1, 12);
    expect(weights[3]).toBe(0);
    expect(weights[2]! / weights[0]!).toBeCloseTo((0.5 / 0.2) ** power, 12);
  });
});
