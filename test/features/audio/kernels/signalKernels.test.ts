import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  copySamples,
  createSignalKernels,
  halfTurn,
  radixFactors,
} from '../../../../src/features/audio/kernels/signalKernels.ts';
import { createPowerSpectrum } from '../../../../src/features/audio/powerSpectrum.ts';

/** The discrete Fourier transform by its definition: real and imaginary part of each bin, of numbers laid out alike. */
function slowly(complex: readonly number[]): readonly number[] {
  const n = complex.length / 2;
  return Array.from({ length: n }, (_, k) => {
    let [re, im] = [0, 0];
    for (let i = 0; i < n; i++) {
      const angle = (-2 * Math.PI * ((i * k) % n)) / n;
      const [a, b] = [complex[2 * i] ?? 0, complex[2 * i + 1] ?? 0];
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    }
    return [re, im];
  }).flat();
}

const numbers = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length });

describe('the kernels of sound', () => {
  it.each([1, 2, 4, 8, 16, 32, 64, 512])('transform %i complex numbers as the definition does.', (n) => {
    const kernels = createSignalKernels();
    const [x, y] = [kernels.doubles(2 * n), kernels.doubles(2 * n)];
    const factors = radixFactors(kernels, n);
    fc.assert(
      fc.property(numbers(2 * n), (complex) => {
        x.set(complex);
        const at = kernels.run.fft(n, x.byteOffset, y.byteOffset, factors.byteOffset);
        const found = at === x.byteOffset ? x : y;
        slowly(complex).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 10));
      }),
      { numRuns: n > 64 ? 2 : 20 },
    );
  });

  it.each([8, 32, 256])('give the power of all bins of %i real numbers.', (size) => {
    const { frame, power, compute } = createPowerSpectrum(createSignalKernels(), size);
    fc.assert(
      fc.property(numbers(size), (real) => {
        frame.set(real);
        compute();
        const bins = slowly(real.flatMap((x) => [x, 0]));
        expect(power).toHaveLength(size / 2 + 1);
        power.forEach((value, k) =>
          expect(value).toBeCloseTo((bins[2 * k] ?? 0) ** 2 + (bins[2 * k + 1] ?? 0) ** 2, 8),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('sum products.', () => {
    const kernels = createSignalKernels();
    const [a, b] = [kernels.doubles(48), kernels.doubles(48)];
    fc.assert(
      fc.property(numbers(48), numbers(48), (p, q) => {
        a.set(p);
        b.set(q);
        const expected = p.reduce((sum, x, i) => sum + x * (q[i] ?? 0), 0);
        expect(kernels.run.dot(a.byteOffset, b.byteOffset, 48)).toBeCloseTo(expected, 12);
      }),
    );
  });

  it.each([1, 2, 7, 64])('weigh the power of %i samples about their mean.', (count) => {
    const kernels = createSignalKernels();
    const samples = kernels.singles(count);
    const window = kernels.doubles(count);
    for (let i = 0; i < count; i++) {
      samples[i] = Math.sin(i * i) + 0.3;
      window[i] = 1 / (1 + i);
    }
    const mean = samples.reduce((sum, x) => sum + x, 0) / count;
    const weight = window.reduce((sum, w) => sum + w, 0);
    const expected = window.reduce((sum, w, i) => sum + w * ((samples[i] ?? 0) - mean) ** 2, 0) / weight;
    expect(kernels.run.windowedPower(samples.byteOffset, count, window.byteOffset)).toBeCloseTo(expected, 12);
  });

  it('have arrays that do not overlap, in a memory of their own, and say when it is full.', () => {
    const kernels = createSignalKernels();
    const arrays = [kernels.doubles(3), kernels.singles(5), kernels.doubles(2)];
    arrays.forEach((array, i) => array.fill(i + 1));
    arrays.forEach((array, i) => expect([...array].every((value) => value === i + 1)).toBe(true));
    createSignalKernels().doubles(100).fill(9);
    expect([...(arrays[0] ?? [])]).toEqual([1, 1, 1]);
    expect(() => kernels.doubles(1 << 20)).toThrow(RangeError);
  });
});

describe('halfTurn', () => {
  it('has cosine and sine from 0 to π.', () => {
    const table = halfTurn(createSignalKernels(), 2);
    expect([...table].map((value) => Math.round(value * 1e12) / 1e12)).toEqual([1, 0, 0, 1, -1, 0]);
  });
});

describe('copySamples', () => {
  it.each([
    [-2, [0, 0, 1, 2]],
    [1, [2, 3, 4, 5]],
    [3, [4, 5, 0, 0]],
    [9, [0, 0, 0, 0]],
    [-9, [0, 0, 0, 0]],
  ])('copies from sample %i on, and silence for what is outside of the sound.', (start, expected) => {
    const to = new Float32Array(4).fill(7);
    copySamples(Float32Array.of(1, 2, 3, 4, 5), start, to);
    expect([...to]).toEqual(expected);
  });
});
