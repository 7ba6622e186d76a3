import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { kernels } from '../../../src/model/kernels/kernels.ts';

beforeAll(async () => {
  await startBackend('wasm');
});

const FUNCTIONS = {
  exp: { code: 0, exact: (x: number) => Math.exp(x), range: 86 },
  sigmoid: { code: 1, exact: (x: number) => 1 / (1 + Math.exp(-x)), range: 86 },
  tanh: { code: 2, exact: (x: number) => Math.tanh(x), range: 100 },
} as const;
type Name = keyof typeof FUNCTIONS;

/** The function's values at numbers, computed by the kernel four at a time. */
function valuesOf(name: Name, x: readonly number[]): Float32Array {
  const k = kernels();
  if (!k) throw new Error('no kernels on the wasm backend');
  return tf.tidy(() => {
    const padded = tf.tensor1d([...x, ...Array<number>((4 - (x.length % 4)) % 4).fill(0)]);
    const y = k.make<tf.Rank.R1>(padded.shape);
    k.run.map(k.at(y), k.at(padded), padded.size, FUNCTIONS[name].code);
    return y.dataSync<'float32'>().slice(0, x.length);
  });
}

describe.each(Object.keys(FUNCTIONS) as Name[])('%s of four numbers at once', (name) => {
  const { exact, range } = FUNCTIONS[name];

  it('is within 1e-6 of its value, relatively, over all sizes of numbers.', () => {
    const numbers = fc.array(fc.float({ min: -range, max: range, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(numbers, (x) =>
        valuesOf(name, x).forEach((y, i) => {
          const wanted = exact(x[i] as number);
          expect(Math.abs(y - wanted)).toBeLessThanOrEqual(1e-6 * Math.abs(wanted));
        }),
      ),
      { numRuns: 200 },
    );
  });

  it('is within 1e-6 on an even grid too, where the pieces of its approximation meet.', () => {
    const grid = Array.from({ length: 20_001 }, (_, i) => Math.fround(-20 + i / 500));
    const worst = valuesOf(name, grid).reduce((most, y, i) => {
      const wanted = exact(grid[i] as number);
      return wanted === 0 ? Math.max(most, Math.abs(y)) : Math.max(most, Math.abs(y - wanted) / Math.abs(wanted));
    }, 0);
    expect(worst).toBeLessThanOrEqual(1e-6);
  });

  it('is finite for every finite number, and NaN only for NaN.', () => {
    const far = [-3e38, -1e10, -1000, -89, 89, 1000, 1e10, 3e38, -0, 1e-45];
    expect(valuesOf(name, far).every(Number.isFinite)).toBe(true);
    expect([...valuesOf(name, [Number.NaN])]).toEqual([Number.NaN]);
  });
});
