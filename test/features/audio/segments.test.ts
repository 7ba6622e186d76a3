import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { PROSODY_SIGNALS } from '../../../fixtures/prosody/signals.ts';
import { SEGMENT_COLUMNS, segmentDescriptors, type SegmentDescriptors } from '../../../src/features/audio/segments.ts';

const RATE_HZ = 16_000;
const SEGMENT = 1600;

function row({ data, columns }: SegmentDescriptors, index: number): Record<string, number> {
  return Object.fromEntries(SEGMENT_COLUMNS.map((column, c) => [column, data[index * columns + c] ?? Number.NaN]));
}

function signal(name: string): Float32Array {
  const found = PROSODY_SIGNALS.find((s) => s.name === name);
  if (found === undefined) throw new Error(name);
  return found.make();
}

function tone(hz: number, seconds: number, gain = 0.3): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * RATE_HZ) },
    (_, i) => gain * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
  );
}

function noise(seconds: number, gain = 0.3): Float32Array {
  let state = 7;
  return Float32Array.from({ length: seconds * RATE_HZ }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return gain * (state / 2 ** 31 - 1);
  });
}

describe('segmentDescriptors', () => {
  it('has 32 columns of different names.', () => {
    expect(SEGMENT_COLUMNS).toHaveLength(32);
    expect(new Set(SEGMENT_COLUMNS).size).toBe(32);
  });

  it.each([
    [0, 0],
    [1, 1],
    [1600, 1],
    [1601, 2],
    [16_000, 10],
  ])('gives %i samples %i rows.', (length, frames) => {
    const { frames: rows, columns, data } = segmentDescriptors(noise(1).subarray(0, length), RATE_HZ);
    expect([rows, columns, data.length]).toEqual([frames, 32, frames * 32]);
  });

  it('measures a tone of amplitude 0.3 at 250 Hz at -13.5 dB, 15.9 semitones above 100 Hz, fully voiced and steady.', () => {
    const middle = row(segmentDescriptors(tone(250, 1), RATE_HZ), 5);
    expect(middle['energyDb']).toBeCloseTo(10 * Math.log10(0.045), 2);
    expect(middle['energySdDb']).toBeLessThan(0.01);
    expect(middle['f0Semitones']).toBeCloseTo(12 * Math.log2(2.5), 1);
    expect(middle['voicing']).toBeGreaterThan(0.98);
    expect(middle['voicedShare']).toBe(1);
    expect(middle['f0Slope']).toBeCloseTo(0, 2);
    expect(middle['centroidKhz']).toBeCloseTo(0.25, 2);
    expect(middle['flux']).toBeLessThan(0.01);
    expect(middle['alphaRatioDb']).toBeCloseTo(60, 3);
  });

  it('measures white noise as unvoiced and flat, with its centroid in the middle of the band.', () => {
    const middle = row(segmentDescriptors(noise(1), RATE_HZ), 5);
    expect(middle['voicedShare']).toBe(0);
    expect(middle['f0Semitones']).toBe(0);
    expect(middle['flatness']).toBeGreaterThan(0.4);
    expect(middle['centroidKhz']).toBeGreaterThan(3.5);
    expect(middle['centroidKhz']).toBeLessThan(4.5);
    expect(middle['rollOffKhz']).toBeGreaterThan(6);
  });

  it('follows a rising voice: an octave in 1.5 s is 0.8 semitones per segment.', () => {
    const rising = segmentDescriptors(signal('glide'), RATE_HZ);
    for (let i = 2; i < 13; i++) {
      expect(row(rising, i)['f0Slope']).toBeCloseTo(0.8, 1);
      expect(row(rising, i)['f0Semitones']).toBeCloseTo(12 * Math.log2(1.5) + 0.8 * (i + 0.5), 0);
    }
  });

  it('tells vowels apart by their cepstrum more than the same vowel said higher.', () => {
    const cepstrum = (samples: Float32Array) => [
      ...segmentDescriptors(samples, RATE_HZ).data.slice(5 * 32, 5 * 32 + 13),
    ];
    const distance = (a: number[], b: number[]) => Math.hypot(...a.map((x, i) => x - (b[i] ?? 0)));
    const vowel = cepstrum(signal('steadyVowel'));
    expect(distance(vowel, cepstrum(signal('offset')))).toBeLessThan(distance(vowel, cepstrum(noise(1))));
  });

  it('is zero for silence, but for the energy of -90 dB.', () => {
    const { data } = segmentDescriptors(new Float32Array(4000).fill(0.25), RATE_HZ);
    const quiet = row(segmentDescriptors(new Float32Array(4000), RATE_HZ), 1);
    expect(quiet).toEqual({ ...Object.fromEntries(SEGMENT_COLUMNS.map((column) => [column, 0])), energyDb: -90 });
    expect(data.slice(32, 33)).toEqual(Float32Array.of(0));
  });

  it.each([
    ['clipped speech', signal('syllables').map((x) => Math.sign(x))],
    ['a constant', new Float32Array(5000).fill(1)],
    ['one sample', Float32Array.of(-1)],
    ['a click', new Float32Array(5000).fill(1, 2400, 2401)],
    ['samples that are not numbers', new Float32Array(5000).fill(Number.NaN)],
    ['infinite samples', new Float32Array(5000).fill(Infinity, 100, 200)],
  ])('is finite for %s.', (_, samples) => {
    const { data } = segmentDescriptors(samples, RATE_HZ);
    expect(data.length).toBeGreaterThan(0);
    expect(data.every(Number.isFinite)).toBe(true);
  });

  it('is finite for any samples in [-1, 1], with shares and strengths in [0, 1].', () => {
    const shares = ['voicing', 'voicedShare', 'flatness', 'flux'].map((column) => SEGMENT_COLUMNS.indexOf(column));
    fc.assert(
      fc.property(fc.float32Array({ min: -1, max: 1, noNaN: true, maxLength: 4000 }), (samples) => {
        const { data, columns } = segmentDescriptors(samples, RATE_HZ);
        return data.every((v, i) => Number.isFinite(v) && (!shares.includes(i % columns) || (v >= 0 && v <= 1)));
      }),
      { numRuns: 60 },
    );
  });

  it('changes only the energy, by 20 log10 of the gain, when the level changes.', () => {
    const samples = signal('syllables');
    const loud = segmentDescriptors(samples, RATE_HZ);
    const energy = SEGMENT_COLUMNS.indexOf('energyDb');
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 3, noNaN: true }), (gain) => {
        const scaled = segmentDescriptors(
          samples.map((x) => x * gain),
          RATE_HZ,
        );
        scaled.data.forEach((value, i) => {
          const shift = i % 32 === energy ? 20 * Math.log10(gain) : 0;
          expect(value - (loud.data[i] ?? 0)).toBeCloseTo(shift, 2);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('shifts rows when the sound is shifted by whole segments of silence.', () => {
    const samples = signal('pause');
    const plain = segmentDescriptors(samples, RATE_HZ);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), (segments) => {
        const late = new Float32Array(segments * SEGMENT + samples.length);
        late.set(samples, segments * SEGMENT);
        const shifted = segmentDescriptors(late, RATE_HZ);
        expect(shifted.frames).toBe(plain.frames + segments);
        const rows = shifted.data.slice(segments * 32);
        // The first frame of a sound has nothing before it to change from.
        const flux = SEGMENT_COLUMNS.indexOf('flux');
        rows[flux] = plain.data[flux] ?? 0;
        expect(rows).toEqual(plain.data);
      }),
      { numRuns: 4 },
    );
  });

  it('refuses any sample rate but 16,000 Hz.', () => {
    expect(() => segmentDescriptors(noise(1), 8000)).toThrow(new RangeError('sampleRateHz must be 16000, got 8000'));
  });
});
