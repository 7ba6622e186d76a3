import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createMelBank } from '../../../src/features/audio/melBank.ts';

const BINS = 513;
const toCepstrum = createMelBank(16_000, 1024, 13);

function cepstrum(power: Float64Array): Float64Array {
  const out = new Float64Array(13);
  toCepstrum(power, out);
  return out;
}

describe('createMelBank', () => {
  it('does not depend on the level.', () => {
    const power = Float64Array.from({ length: BINS }, (_, k) => 1 + Math.sin(k / 20) ** 2);
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e6, noNaN: true }), (gain) => {
        const scaled = cepstrum(power.map((p) => p * gain));
        cepstrum(power).forEach((c, i) => expect(scaled[i]).toBeCloseTo(c, 6));
      }),
    );
  });

  it('has a first coefficient above 0 for power at low frequencies and below 0 for power at high ones.', () => {
    expect(cepstrum(Float64Array.from({ length: BINS }, (_, k) => Math.exp(-k / 40)))[0]).toBeGreaterThan(1);
    expect(cepstrum(Float64Array.from({ length: BINS }, (_, k) => Math.exp(k / 40)))[0]).toBeLessThan(-1);
  });

  it('is finite for an empty spectrum and for a single line anywhere.', () => {
    expect(cepstrum(new Float64Array(BINS)).every(Number.isFinite)).toBe(true);
    for (const k of [0, 1, 4, 100, 512])
      expect(cepstrum(new Float64Array(BINS).fill(1, k, k + 1)).every(Number.isFinite)).toBe(true);
  });
});
