import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { dropRandom } from '../../../src/model/ops/dropout.ts';

/** Which of `size` values are kept, on the backend in use. */
function kept(size: number, rate: number, seed: number): boolean[] {
  return [...tf.tidy(() => dropRandom(tf.ones([1, size]), rate, seed).dataSync())].map((value) => value !== 0);
}

const shareOf = (list: readonly boolean[]): number => list.filter(Boolean).length / list.length;

describe('dropRandom', () => {
  it('drops the same values on every backend, for any seed and rate.', async () => {
    const rate = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.nat(2 ** 32 - 1), rate, fc.integer({ min: 1, max: 30 }), async (seed, rate, size) => {
        await startBackend('cpu');
        const slow = kept(size, rate, seed);
        await startBackend('wasm');
        expect(kept(size, rate, seed)).toEqual(slow);
      }),
      { numRuns: 40 },
    );
  });

  it.each(['wasm', 'cpu'] as const)(
    'keeps its share within four standard deviations and scales it up, on %s.',
    async (backend) => {
      await startBackend(backend);
      for (const rate of [0.1, 0.3, 0.5, 0.9]) {
        const y = tf.tidy(() => dropRandom(tf.ones([100, 200]), rate, 77).dataSync());
        const share = y.filter((value) => value !== 0).length / y.length;
        expect(Math.abs(share - (1 - rate))).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / y.length));
        expect(y.every((value) => value === 0 || Math.abs(value - 1 / (1 - rate)) < 1e-5)).toBe(true);
      }
    },
  );

  it('decides for neighbours, and for neighbouring seeds, independently.', async () => {
    await startBackend('wasm');
    const here = kept(40_000, 0.5, 1234);
    const pairs = { next: here.slice(1), farther: here.slice(4), seed: kept(40_000, 0.5, 987_654_321) };
    for (const other of Object.values(pairs)) {
      const both = shareOf(other.map((value, i) => value && here[i] === true));
      expect(Math.abs(both - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / other.length));
    }
  });
});
