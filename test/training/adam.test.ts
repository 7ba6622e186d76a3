import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/model/random.ts';
import { adamUpdate, adamUpdateRows, clipGradients, newMoments, schedule } from '../../src/training/adam.ts';

/** Algorithm 1 of Kingma & Ba with its two bias corrections written out, for one number; decay as in Loshchilov & Hutter. */
function slowAdam(start: number, gradients: readonly number[], rate: number, decay: number): number {
  let [value, m, v] = [start, 0, 0];
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const unbiasedM = m / (1 - 0.9 ** (i + 1));
    const unbiasedV = v / (1 - 0.999 ** (i + 1));
    value = value - rate * decay * value - (rate * unbiasedM) / (Math.sqrt(unbiasedV) + 1e-8);
  });
  return value;
}

const random = createRandom(5);
const STEPS = Array.from({ length: 25 }, () => Float32Array.from({ length: 3 }, () => random() - 0.4));

describe('adamUpdate', () => {
  it.each([0, 0.1])('does what the written-out algorithm does over 25 steps, with decay %s.', (weightDecay) => {
    const values = Float32Array.of(1, -2, 0.5);
    const expected = [...values].map((start, i) =>
      slowAdam(
        start,
        STEPS.map((g) => g[i]!),
        0.01,
        weightDecay,
      ),
    );
    const moments = newMoments(3);
    STEPS.forEach((g, i) => adamUpdate(values, g, moments, { step: i + 1, learningRate: 0.01, weightDecay }));
    // Values and moments are 32-bit floats; 25 roundings of 6e-8 each.
    values.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(5e-6));
  });

  it('decays the weights and not the gradient: a zero gradient shrinks the value, and leaves no moment.', () => {
    const values = Float32Array.of(2);
    const moments = newMoments(1);
    adamUpdate(values, Float32Array.of(0), moments, { step: 1, learningRate: 0.1, weightDecay: 0.5 });
    expect(values[0]).toBeCloseTo(2 * (1 - 0.1 * 0.5), 6);
    expect([moments.m[0], moments.v[0]]).toEqual([0, 0]);
  });

  it('moves by the learning rate in the first step, whatever the size of the gradient.', () => {
    for (const gradient of [1e-3, 1, 1e3]) {
      const values = Float32Array.of(0);
      adamUpdate(values, Float32Array.of(gradient), newMoments(1), { step: 1, learningRate: 0.1, weightDecay: 0 });
      expect(values[0]).toBeCloseTo(-0.1, 4);
    }
  });
});

describe('adamUpdateRows', () => {
  it('updates the rows that have a gradient as the whole would be, and leaves the others to the bit.', () => {
    const settings = { step: 3, learningRate: 0.01, weightDecay: 0 };
    const start = Float32Array.from({ length: 8 }, (_, i) => i / 3);
    const [lazy, lazyMoments] = [start.slice(), newMoments(8)];
    const gradient = Float32Array.of(0.5, -0.25);
    adamUpdateRows(lazy, new Map([[2, gradient]]), lazyMoments, settings);
    const [whole, wholeMoments] = [start.slice(), newMoments(8)];
    adamUpdate(whole, Float32Array.of(0, 0, 0, 0, ...gradient, 0, 0), wholeMoments, settings);
    expect(lazy).toEqual(whole);
    expect(lazyMoments).toEqual(wholeMoments);
    expect([...lazy.keys()].filter((i) => lazy[i] !== start[i])).toEqual([4, 5]);
  });

  it('keeps the moments of rows that are not used for when they are used again.', () => {
    const values = new Float32Array(2);
    const moments = newMoments(2);
    const update = (step: number, row: number): void =>
      adamUpdateRows(values, new Map([[row, Float32Array.of(1)]]), moments, {
        step,
        learningRate: 0.1,
        weightDecay: 0,
      });
    update(1, 0);
    const kept = moments.m[0];
    update(2, 1);
    expect(moments.m[0]).toBe(kept);
    update(3, 0);
    expect(moments.m[0]).toBeCloseTo(0.9 * kept! + 0.1, 6);
  });
});

describe('clipGradients', () => {
  it('shortens all gradients together to the limit, keeps their direction, and returns the length before.', () => {
    const [a, b] = [Float32Array.of(3, 0), Float32Array.of(0, -4)];
    expect(clipGradients([a, b], 1)).toBe(5);
    expect(a[0]).toBeCloseTo(0.6, 6);
    expect(b[1]).toBeCloseTo(-0.8, 6);
  });

  it('leaves what is short enough as it is, to the bit, and never leaves more than the limit.', () => {
    const finite = fc.float({ noNaN: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(
        fc.array(fc.array(finite), { maxLength: 4 }),
        fc.double({ noNaN: true, min: 0.1, max: 100 }),
        (lists, limit) => {
          const gradients = lists.map((list) => Float32Array.from(list));
          const before = gradients.map((g) => g.slice());
          const norm = clipGradients(gradients, limit);
          if (norm <= limit) expect(gradients).toEqual(before);
          else expect(Math.hypot(...gradients.flatMap((g) => [...g])) / limit).toBeCloseTo(1, 4);
        },
      ),
    );
  });
});

describe('schedule', () => {
  it('warms up in a line, stands at 1, and falls in half a cosine to 5 %.', () => {
    const factors = [0, 1, 3, 4, 54, 104, 200].map((step) => schedule(step, 4, 104));
    [0.25, 0.5, 1, 1, 0.525, 0.05, 0.05].forEach((expected, i) => expect(factors[i]).toBeCloseTo(expected, 12));
  });

  it('never rises after the warm-up, and survives a training shorter than its warm-up.', () => {
    for (let step = 10; step < 120; step++)
      expect(schedule(step + 1, 10, 100)).toBeLessThanOrEqual(schedule(step, 10, 100));
    expect(schedule(0, 0, 0)).toBe(1);
    expect(schedule(5, 100, 3)).toBeCloseTo(0.06, 12);
  });
});
