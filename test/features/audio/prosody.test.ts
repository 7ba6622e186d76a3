import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PROSODY_SIGNALS } from '../../../fixtures/prosody/signals.ts';
import {
  createProsodyMeter,
  prosody8,
  PROSODY_COLUMNS,
  UNMEASURED_ARTICULATION_RATE,
} from '../../../src/features/audio/prosody.ts';

const RATE_HZ = 16_000;
const GOLDENS = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../../fixtures/prosody/goldens.json'), 'utf8'),
) as Record<string, (number | null)[]>;
const SHARED = process.env['UNDERTONE_SHARED'] ?? '';
const JFK = path.join(SHARED, 'audio/jfk.wav');
/** Praat 6.3.07 on jfk.wav: `praat --run fixtures/prosody/reference.praat audio/jfk.wav`. */
const JFK_BY_PRAAT = [11, 77.051267, 11.894984, 236.543324, 47.094923, 515.184469, 3.769521, 11.348466];

/** Columns as an object, so that a failing expectation names the measure. */
function named(values: ArrayLike<number> | undefined): Record<string, number> {
  if (values === undefined) throw new Error('nothing was measured');
  return Object.fromEntries(PROSODY_COLUMNS.map((column, i) => [column, values[i] ?? Number.NaN]));
}

function expectCloseToPraat(ours: ArrayLike<number> | undefined, praat: readonly (number | null)[]): void {
  const o = named(ours);
  const p = named(praat.map((value) => value ?? UNMEASURED_ARTICULATION_RATE));
  const within = (column: string, tolerance: number) =>
    expect(Math.abs((o[column] ?? 0) - (p[column] ?? 0)), `${column} ${o[column]} / ${p[column]}`).toBeLessThanOrEqual(
      tolerance,
    );
  within('duration', 1e-6);
  within('avg_intensity', 0.01);
  within('intensity_variation', 0.01);
  within('avg_pitch', 0.001 * (p['avg_pitch'] ?? 0));
  within('pitch_std', 0.05 + 0.01 * (p['pitch_std'] ?? 0));
  within('pitch_range', 0.1 + 0.01 * (p['pitch_range'] ?? 0));
  within('articulation_rate', 1e-4);
  // Above 35 dB the ratio hangs on the fourth decimal of r, where our shorter interpolation kernel shows.
  within('mean_hnr', (p['mean_hnr'] ?? 0) > 35 ? 1 : 0.3);
}

function tone(hz: number, seconds: number, gain = 0.3): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * RATE_HZ) },
    (_, i) => gain * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
  );
}

describe('prosody8', () => {
  it.each(PROSODY_SIGNALS.map((signal) => [signal.name, signal] as const))(
    'agrees with Praat on the synthetic recording %s.',
    (name, signal) => {
      expectCloseToPraat(prosody8(signal.make(), RATE_HZ), GOLDENS[name] ?? []);
    },
  );

  it('has a golden for every synthetic recording and no other.', () => {
    expect(Object.keys(GOLDENS)).toEqual(PROSODY_SIGNALS.map(({ name }) => name));
  });

  const missing = SHARED === '' ? 'UNDERTONE_SHARED is not set' : existsSync(JFK) ? '' : 'audio/jfk.wav is not there';
  (missing === '' ? it : it.skip)(
    `${missing === '' ? '' : `skipped: ${missing}; `}agrees with Praat on the speech of jfk.wav.`,
    () => {
      const bytes = readFileSync(JFK);
      const data = bytes.indexOf('data', 12, 'latin1') + 8;
      const samples = Float32Array.from(
        { length: bytes.readUInt32LE(data - 4) / 2 },
        (_, i) => bytes.readInt16LE(data + 2 * i) / 32768,
      );
      expectCloseToPraat(prosody8(samples, RATE_HZ), JFK_BY_PRAAT);
    },
  );

  it('measures a tone of amplitude 0.3 at 80.5 dB, as 0.045 Pa² over the square of 20 µPa.', () => {
    const { avg_intensity, intensity_variation, avg_pitch, duration } = named(prosody8(tone(200, 1), RATE_HZ));
    expect(avg_intensity).toBeCloseTo(10 * Math.log10(0.045 / 4e-10), 2);
    expect(intensity_variation).toBeLessThan(0.01);
    expect(avg_pitch).toBeCloseTo(200, 2);
    expect(duration).toBe(1);
  });

  it('changes only the intensity, by 20 log10 of the gain, when the level changes.', () => {
    const samples = PROSODY_SIGNALS.find(({ name }) => name === 'syllables')?.make() ?? new Float32Array();
    const loud = named(prosody8(samples, RATE_HZ));
    const soft = named(
      prosody8(
        samples.map((x) => x / 8),
        RATE_HZ,
      ),
    );
    expect(loud['avg_intensity']! - soft['avg_intensity']!).toBeCloseTo(20 * Math.log10(8), 3);
    for (const column of PROSODY_COLUMNS)
      if (column !== 'avg_intensity') expect(soft[column]).toBeCloseTo(loud[column]!, 3);
  });

  it('measures the same pitch at another sample rate.', () => {
    const at48 = Float32Array.from({ length: 48_000 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 200 * i) / 48_000));
    expect(named(prosody8(at48, 48_000))['avg_pitch']).toBeCloseTo(200, 2);
  });

  it.each([
    ['no samples', new Float32Array(0)],
    ['one sample', Float32Array.of(0.5)],
    ['a sound of 63 ms', tone(200, 0.063)],
    ['digital silence', new Float32Array(RATE_HZ)],
    ['a tone of fifteen steps of 16-bit audio', tone(200, 1, 15 / 32768)],
    ['a constant', new Float32Array(RATE_HZ).fill(0.5)],
    ['a sample that is not a number', tone(200, 1).fill(Number.NaN, 500, 501)],
    ['a sample that is infinite', tone(200, 1).fill(Infinity, 500, 501)],
    ['a single click', new Float32Array(RATE_HZ).fill(0.9, 8000, 8001)],
  ])('is undefined for %s.', (_, samples) => {
    expect(prosody8(samples, RATE_HZ)).toBeUndefined();
  });

  it('measures a tone of twenty steps of 16-bit audio.', () => {
    expect(named(prosody8(tone(200, 1, 20 / 32768), RATE_HZ))['avg_pitch']).toBeCloseTo(200, 1);
  });

  it('measures a sound of exactly 64 ms.', () => {
    expect(named(prosody8(tone(200, 0.064), RATE_HZ))['avg_pitch']).toBeCloseTo(200, 0);
  });

  it('holds the mean of the training column as articulation rate when there is no syllable nucleus.', () => {
    expect(named(prosody8(tone(200, 1), RATE_HZ))['articulation_rate']).toBe(Math.fround(UNMEASURED_ARTICULATION_RATE));
  });

  it('is finite or undefined for any samples in [-1, 1].', () => {
    const measure = createProsodyMeter(RATE_HZ);
    const sample = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 400 }), fc.integer({ min: 1, max: 8 }), (pattern, repeats) => {
        const values = measure(
          Float32Array.from({ length: pattern.length * repeats * 4 }, (_, i) => pattern[i % pattern.length] ?? 0),
        );
        return values === undefined || (values.length === 8 && values.every(Number.isFinite));
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 7999, 48_001, Number.NaN])('refuses a sample rate of %s Hz.', (rate) => {
    expect(() => prosody8(tone(200, 1), rate)).toThrow(
      new RangeError(`sampleRateHz must be between 8000 and 48000, got ${rate}`),
    );
  });
});

describe('createProsodyMeter', () => {
  it('keeps nothing from one utterance to the next.', () => {
    const measure = createProsodyMeter(RATE_HZ);
    const signals = PROSODY_SIGNALS.slice(0, 4).map((signal) => signal.make());
    const alone = signals.map((samples) => prosody8(samples, RATE_HZ));
    expect(signals.map((samples) => measure(samples))).toEqual(alone);
    expect([...signals].reverse().map((samples) => measure(samples))).toEqual([...alone].reverse());
  });
});
