import * as tf from '@tensorflow/tfjs-core';

import { rotate } from '../../src/model/jointEmbedding.ts';
import { type Parameters, readers } from '../../src/model/parameters.ts';
import { createRandom, type Random } from '../../src/model/random.ts';
import { dot, randomRow } from './tinyModel.ts';

/** One differentiated input: a shape and its values. */
export type GradientInput = { readonly shape: readonly number[]; readonly values: Float32Array };

/** What is differentiated: `f` of named inputs, which it reads as parameters (and `x` and the like with `p.tensor`). */
export type GradientCase = {
  readonly title: string;
  readonly inputs: ReadonlyMap<string, GradientInput>;
  /** Parameters that `f` also reads and that are not differentiated. */
  readonly fixed?: ReadonlyMap<string, GradientInput>;
  readonly f: (p: Parameters) => tf.Tensor;
};

/** Gradients of Σ direction ⊙ f by input, read back from whatever backend is started. */
export type Gradients = ReadonlyMap<string, Float32Array>;

/** Random values in [-1, 1) for a shape, times `scale`. */
export function randomInput(random: Random, shape: readonly number[], scale = 1): GradientInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, values: Float32Array.from(randomRow(random, size), (value) => scale * value) };
}

/** Gradients of a case on the started backend, each `[size of the input]`; zeros where an input has no influence. */
export async function backendGradients({ inputs, fixed, f }: GradientCase): Promise<Gradients> {
  const names = [...inputs.keys()];
  const found = tf.tidy(() => {
    const tensors = names.map((name) => toTensor(inputs.get(name)));
    const loss = (...args: tf.Tensor[]): tf.Tensor => {
      const own = new Map(names.map((name, i) => [name, args[i] as tf.Tensor]));
      const y = f(toParameters(inputs, fixed, own));
      return tf.sum(tf.mul(y, tf.tensor([...directionOf(y.size)], y.shape)));
    };
    return tf.grads(loss)(tensors);
  });
  const read = await Promise.all(found.map((gradient) => gradient.data<'float32'>()));
  tf.dispose(found);
  return new Map(names.map((name, i) => [name, (read[i] as Float32Array).slice()]));
}

/** The value of a case on the started backend. */
export async function backendValue({ inputs, fixed, f }: GradientCase): Promise<Float32Array> {
  const y = tf.tidy(() => f(toParameters(inputs, fixed, new Map())));
  const values = (await y.data<'float32'>()).slice();
  y.dispose();
  return values;
}

/** Lengths of the differences that are tried, longest first. */
const STEPS = [0.02, 0.005, 0.00125];

/**
 * For each input the largest |∇·Δ − (f(x + Δ/2) − f(x − Δ/2))| / (|∇| |Δ|) over four directions Δ: along the gradient, at its
 * largest element, and two random ones. Central differences of 32-bit evaluations, summed in double precision, with
 * Δ as it is after rounding: 1e-3 is what rounding and curvature leave, and a wrong factor shows as 0.1 and more. A
 * direction that is worse than `tolerance` is tried again with shorter steps, because a kink (of a rectifier) may lie inside
 * the long one; a wrong gradient stays wrong. Infinite for an input that nothing depends on.
 */
export async function gradientErrors(given: GradientCase, tolerance: number): Promise<Map<string, number>> {
  const gradients = await backendGradients(given);
  const random = createRandom(91);
  const errors = new Map<string, number>();
  for (const name of given.inputs.keys()) {
    const gradient = gradients.get(name) ?? new Float32Array(0);
    let worst = gradient.some((value) => value !== 0) ? 0 : Infinity;
    for (const direction of directions(gradient, random)) {
      let error = Infinity;
      for (let i = 0; i < STEPS.length && error > tolerance; i++)
        error = Math.min(error, await errorAlong(given, name, { gradient, direction, step: STEPS[i] ?? NaN }));
      worst = Math.max(worst, error);
    }
    errors.set(name, worst);
  }
  return errors;
}

type Along = { readonly gradient: Float32Array; readonly direction: readonly number[]; readonly step: number };

async function errorAlong(given: GradientCase, name: string, { gradient, direction, step }: Along): Promise<number> {
  const input = given.inputs.get(name) ?? { shape: [0], values: new Float32Array(0) };
  const [up, down] = [move(input, direction, step / 2), move(input, direction, -step / 2)];
  const moved = Array.from(up.values, (value, i) => value - (down.values[i] ?? NaN));
  const rise = (await weighted(given, name, up)) - (await weighted(given, name, down));
  return Math.abs(dot([...gradient], moved) - rise) / (Math.hypot(...gradient) * Math.hypot(...moved));
}

async function weighted(given: GradientCase, name: string, input: GradientInput): Promise<number> {
  const y = await backendValue({ ...given, inputs: new Map([...given.inputs, [name, input]]) });
  return dot([...y], directionOf(y.length));
}

/** Directions of length 1. */
function directions(gradient: Float32Array, random: Random): number[][] {
  const largest = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best] ?? 0) ? i : best), 0);
  const candidates = [
    [...gradient],
    [...gradient.keys()].map((i) => (i === largest ? 1 : 0)),
    randomRow(random, gradient.length),
    randomRow(random, gradient.length),
  ];
  return candidates.map((direction) => direction.map((value) => value / (Math.hypot(...direction) || 1)));
}

function move(input: GradientInput, direction: readonly number[], by: number): GradientInput {
  return { ...input, values: input.values.map((value, i) => value + by * (direction[i] ?? NaN)) };
}

/** What the outputs are weighted with: the same for the same size, and no two alike. */
function directionOf(size: number): number[] {
  return randomRow(createRandom(17), size);
}

function toTensor(input: GradientInput | undefined): tf.Tensor {
  return tf.tensor(input?.values ?? [], [...(input?.shape ?? [])], 'float32');
}

/** Parameters over the inputs, whose tensors may be given, and the fixed values. */
function toParameters(
  inputs: GradientCase['inputs'],
  fixed: GradientCase['fixed'],
  given: ReadonlyMap<string, tf.Tensor>,
): Parameters {
  const all = new Map([...(fixed ?? []), ...inputs]);
  const tensors = new Map([...all].map(([name, input]) => [name, given.get(name) ?? toTensor(input)]));
  const read = readers(tensors, new Map([...all].map(([name, { values }]) => [name, values])));
  return {
    ...read,
    isFrozen: false,
    recurrent: () => undefined,
    rotate: (mode, x, direction) => rotate(x, read.tensor(`joint.${mode}`), direction),
  };
}
