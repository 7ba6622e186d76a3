import { describe, expect, it } from 'vitest';
import { createResampler } from '../../src/domain/resample.ts';

const sine = (hz: number, rateHz: number, seconds: number): Float32Array =>
  Float32Array.from({ length: rateHz * seconds }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz));

describe('createResampler', () => {
  it.each([8_000, 11_025, 12_347, 22_050, 44_100, 47_999, 48_000])(
    'keeps a tone of 1 kHz from %d Hz in place and size, in any pieces',
    (rateHz) => {
      const input = sine(1_000, rateHz, 0.5);
      const resampler = createResampler(rateHz, 16_000);
      const output: number[] = [];
      for (let at = 0, step = 1; at < input.length; at += step, step = (step * 7) % 1_009)
        output.push(...resampler.process(input.subarray(at, at + step)));
      const expected = sine(1_000, 16_000, 0.5);
      expect(output.length).toBeGreaterThan(0.49 * 16_000);
      const worst = output
        .slice(200)
        .reduce((max, value, i) => Math.max(max, Math.abs(value - (expected[i + 200] ?? 0))), 0);
      expect(worst).toBeLessThan(0.01);
    },
  );

  it('lets nothing through that 16 kHz cannot hold', () => {
    const output = createResampler(48_000, 16_000).process(sine(11_000, 48_000, 0.5));
    expect(Math.max(...output.slice(200).map(Math.abs))).toBeLessThan(0.01);
  });

  it('passes what has the rate already', () => {
    const samples = sine(1_000, 16_000, 0.1);
    expect(createResampler(16_000, 16_000).process(samples)).toBe(samples);
  });

  it('raises a rate too', () => {
    const output = createResampler(16_000, 48_000).process(sine(1_000, 16_000, 0.5));
    const expected = sine(1_000, 48_000, 0.5);
    const worst = output
      .slice(600)
      .reduce((max, value, i) => Math.max(max, Math.abs(value - (expected[i + 600] ?? 0))), 0);
    expect(worst).toBeLessThan(0.01);
  });

  it('gives samples of 16 bits, which are kept in half the memory, also at full scale', () => {
    const loud = sine(300, 48_000, 0.1).map((value) => 3 * value);
    const words = [...createResampler(48_000, 16_000).process(loud)].map((value) => value * 32_768);
    expect(words.every((word) => Number.isInteger(word) && word >= -32_768 && word <= 32_767)).toBe(true);
    expect([Math.min(...words), Math.max(...words)]).toEqual([-32_768, 32_767]);
  });

  it('stays within -1 and 1 where the filter rings over a step', () => {
    const step = Float32Array.from({ length: 4_800 }, (_, i) => (Math.floor(i / 480) % 2 === 0 ? 1 : -1));
    expect(
      createResampler(48_000, 16_000)
        .process(step)
        .every((value) => Math.abs(value) <= 1),
    ).toBe(true);
  });
});
