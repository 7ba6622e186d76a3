import { describe, expect, it } from 'vitest';

import { createSpectralShape, SHAPE_COLUMNS } from '../../../src/features/audio/spectralShape.ts';

const BINS = 513;
const KHZ_PER_BIN = 8 / 512;
const toShape = createSpectralShape(16_000, BINS);

function shape(power: Float64Array, previous: Float64Array = new Float64Array(BINS)): Record<string, number> {
  const out = new Float64Array(SHAPE_COLUMNS.length);
  toShape(power, previous, out);
  return Object.fromEntries(SHAPE_COLUMNS.map((column, i) => [column, out[i] ?? Number.NaN]));
}

function line(bin: number): Float64Array<ArrayBuffer> {
  return new Float64Array(BINS).fill(2, bin, bin + 1);
}

describe('createSpectralShape', () => {
  it('measures one line as its frequency without spread, not flat.', () => {
    const measured = shape(line(96));
    expect(measured['centroidKhz']).toBeCloseTo(96 * KHZ_PER_BIN, 9);
    expect(measured['spreadKhz']).toBeCloseTo(0, 6);
    expect(measured['rollOffKhz']).toBeCloseTo(96 * KHZ_PER_BIN, 9);
    expect(measured['flatness']).toBeLessThan(1e-6);
  });

  it('measures two equal lines as their middle, half their distance apart.', () => {
    const power = line(100).map((p, k) => p + (line(200)[k] ?? 0));
    expect(shape(power)['centroidKhz']).toBeCloseTo(150 * KHZ_PER_BIN, 9);
    expect(shape(power)['spreadKhz']).toBeCloseTo(50 * KHZ_PER_BIN, 9);
    expect(shape(power)['rollOffKhz']).toBeCloseTo(200 * KHZ_PER_BIN, 9);
  });

  it('measures a level spectrum as flat, with 85 % of it below 6.8 kHz.', () => {
    const measured = shape(new Float64Array(BINS).fill(3));
    expect(measured['flatness']).toBeCloseTo(1, 6);
    expect(measured['rollOffKhz']).toBeCloseTo(6.8, 1);
    expect(measured['hammarbergDb']).toBeCloseTo(0, 9);
    // 61 bins below 1 kHz against 256 up to 5 kHz.
    expect(measured['alphaRatioDb']).toBeCloseTo(10 * Math.log10(61 / 256), 6);
  });

  it('measures flux as 0 without change or predecessor, and 1 for a change of all the power.', () => {
    expect(
      shape(
        line(50),
        Float64Array.from(line(50), (p) => 7 * p),
      )['flux'],
    ).toBe(0);
    expect(shape(line(50), line(60))['flux']).toBe(1);
    expect(shape(line(50))['flux']).toBe(0);
  });

  it('bounds its ratios to 60 dB.', () => {
    expect(shape(line(30))['alphaRatioDb']).toBeCloseTo(60, 9);
    expect(shape(line(200))['hammarbergDb']).toBeCloseTo(-60, 9);
  });
});
