import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

import { type ModelInput } from '../../src/domain/conversationModel.ts';
import { MODALITIES, type Modality } from '../../src/domain/modality.ts';
import { type InputSpec, type ModelConfig, rowWidth } from '../../src/model/config.ts';
import type { InputBatch, UtteranceBatch } from '../../src/model/encoders.ts';
import { toOffsets } from '../../src/model/ops/ragged.ts';
import { freezeParameters, initialValues, type Parameters } from '../../src/model/parameters.ts';
import { createRandom, deriveSeed, type Random } from '../../src/model/random.ts';
import type { Weights } from '../../src/model/weights.ts';

const input = (
  name: ModelInput,
  modality: Modality,
  kind: InputSpec['kind'],
  dim: number,
  speakerRelative = false,
): InputSpec => ({ name, modality, kind, dim, tokens: kind === 'vector' ? 1 : 4, speakerRelative });

/** Every kind of input at the smallest size that still has two heads, two layers and rows to shorten. */
export const TINY: ModelConfig = {
  format: 1,
  labels: ['anger', 'joy', 'neutral'],
  width: 16,
  heads: 2,
  layers: 2,
  feedForward: 16,
  contextHidden: 8,
  headHidden: 8,
  reflections: 3,
  lookAhead: 3,
  inputs: [
    { ...input('text', 'text', 'tokens', 0), tokens: 64 },
    input('prosody', 'audio', 'vector', 8, true),
    input('segments', 'audio', 'sequence', 4),
    input('face', 'face', 'sequence', 5),
    input('body', 'body', 'sequence', 3),
  ],
  vocabulary: ['no', 'yes', 'really', '!', 'fine'],
  buckets: 32,
  temperature: 1.3,
  prior: [0.2, 0.3, 0.5],
};

/** Seeded values in which no bias is 0 and no gain 1, so that a parameter that is not used shows. */
export function tinyValues(config: ModelConfig = TINY, seed = 1): Map<string, Float32Array> {
  const values = initialValues(config, seed);
  for (const [name, array] of values) {
    const random = createRandom(deriveSeed(seed, 'nudge', name));
    array.forEach((value, i) => (array[i] = value + 0.2 * (random() - 0.5)));
  }
  return values;
}

export function tinyWeights(config: ModelConfig = TINY, seed = 1): Weights {
  const provenance = { name: 'tiny', trainedOn: 'nothing', licence: 'none', seed, dev: { wf1: 0.25 } };
  return { config, values: tinyValues(config, seed), provenance };
}

export function tinyParameters(config: ModelConfig = TINY, seed = 1): Parameters & { dispose(): void } {
  return freezeParameters(config, tinyValues(config, seed));
}

/** One utterance before packing: rows per input, already normalised or embedded, and shares per modality. */
export type TinyUtterance = {
  readonly rows: ReadonlyMap<string, readonly number[][]>;
  readonly shares: Readonly<Record<Modality, number>>;
};

/** Random rows for each input named; a modality of which no input is named has share 0. */
export function randomUtterance(random: Random, present: readonly string[], config: ModelConfig = TINY): TinyUtterance {
  const rows = new Map<string, number[][]>();
  const shares = { text: 0, audio: 0, face: 0, body: 0 };
  for (const spec of config.inputs) {
    if (!present.includes(spec.name)) continue;
    const width = spec.kind === 'tokens' ? config.width : rowWidth(spec);
    const count = spec.kind === 'vector' ? 1 : 1 + Math.floor(random() * 7);
    rows.set(
      spec.name,
      Array.from({ length: count }, () => randomRow(random, width)),
    );
    shares[spec.modality] ||= 0.25 + 0.75 * random();
  }
  return { rows, shares };
}

export function randomRow(random: Random, width: number): number[] {
  return Array.from({ length: width }, () => Math.fround(2 * random() - 1));
}

/** Packs utterances side by side as the network reads them. Inputs that none of them has are missing. */
export function toBatch(utterances: readonly TinyUtterance[], config: ModelConfig = TINY): UtteranceBatch {
  const inputs = new Map<string, InputBatch>();
  for (const spec of config.inputs) {
    const rows = utterances.map((utterance) => utterance.rows.get(spec.name) ?? []);
    if (rows.every((own) => own.length === 0)) continue;
    inputs.set(spec.name, { rows: tf.tensor2d(rows.flat()), offsets: toOffsets(rows.map((own) => own.length)) });
  }
  const shares = Float32Array.from(utterances.flatMap((u) => MODALITIES.map((modality) => u.shares[modality])));
  return { size: utterances.length, inputs, shares };
}

/** Expects equal length and every difference to be at most `tolerance`; NaN is never close. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expect(worstDifference(actual, expected)).toBeLessThanOrEqual(tolerance);
}

/** The largest absolute difference; NaN if any value is NaN. */
export function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))).reduce((x, y) => Math.max(x, y), 0);
}

/** Central differences of a scalar function in double precision, one per element of `at`. */
export function centralDifferences(f: (x: number[]) => number, at: readonly number[], step = 1e-5): number[] {
  return at.map((value, i) => {
    const moved = (by: number): number => f(at.map((other, k) => (k === i ? value + by : other)));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}

/** Gradients of Σ direction ⊙ f(…inputs) by the tensor library, which calls our hand-written ones. */
export function gradientsOf(
  f: (...inputs: tf.Tensor2D[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  direction: readonly number[],
): Float32Array[] {
  return tf.tidy(() => {
    const loss = (...args: tf.Tensor[]): tf.Tensor => {
      const y = f(...(args as tf.Tensor2D[]));
      return tf.sum(tf.mul(y, tf.tensor([...direction], y.shape)));
    };
    return tf
      .grads(loss)([...inputs])
      .map((gradient) => gradient.dataSync<'float32'>().slice());
  });
}

/** Σ a ⊙ b in double precision. */
export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

/** Runs `f`, disposes every tensor it made and returns what it read from them; {@link tf.tidy} for results of any type. */
export function onHost<T>(f: () => T): T {
  const results: T[] = [];
  tf.tidy(() => void results.push(f()));
  return results[0] as T;
}
