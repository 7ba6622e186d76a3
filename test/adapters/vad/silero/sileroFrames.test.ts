import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONTEXT_SAMPLES,
  createSileroFrames,
  FRAME_SAMPLES,
  INPUT_SAMPLES,
} from '../../../../adapters/vad/silero/sileroFrames.ts';
import { createSilenceGate, FRAMES_BEFORE_GATE } from '../../../../adapters/vad/silero/silenceGate.ts';

const ramp = (length: number): Float32Array => new Float32Array(length).map((_, index) => (index % 1_999) / 2_000);

describe('createSileroFrames', () => {
  it('gives 64 samples of the frame before and then 512 of its own, with silence before the first', () => {
    const sound = ramp(1_100);
    const inputs = createSileroFrames().push(sound);
    expect(inputs.map(({ length }) => length)).toEqual([INPUT_SAMPLES, INPUT_SAMPLES]);
    expect(inputs[0]?.subarray(0, CONTEXT_SAMPLES).every((sample) => sample === 0)).toBe(true);
    expect(inputs[0]?.subarray(CONTEXT_SAMPLES)).toEqual(sound.subarray(0, 512));
    expect(inputs[1]).toEqual(sound.subarray(512 - CONTEXT_SAMPLES, 1_024));
  });

  it('gives the same inputs however the sound is cut', () => {
    const sound = ramp(3_000);
    const expected = createSileroFrames().push(sound);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 10 }), (sizes) => {
        const frames = createSileroFrames();
        const found: Float32Array[] = [];
        let at = 0;
        for (const size of [...sizes, sound.length]) {
          found.push(...frames.push(sound.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(expected);
      }),
    );
  });

  it('has finite samples in [-1, 1] only, whatever it is given', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: FRAME_SAMPLES, maxLength: FRAME_SAMPLES }), (samples) => {
        const [input] = createSileroFrames().push(samples);
        expect(input?.every((sample) => sample >= -1 && sample <= 1)).toBe(true);
        input?.subarray(CONTEXT_SAMPLES).forEach((sample, index) => {
          const given = samples[index] ?? 0;
          if (Math.abs(given) <= 1) expect(sample).toBe(given);
        });
      }),
    );
  });
});

describe('createSilenceGate', () => {
  const frameOf = (value: number): Float32Array => new Float32Array(INPUT_SAMPLES).fill(value, CONTEXT_SAMPLES);
  const [silent, audible] = [frameOf(0.0003), frameOf(0.00033)]; // -70.5 and -69.6 dB

  it('closes after a second of frames below -70 dB and opens with the first above', () => {
    const gate = createSilenceGate();
    const silence = Array.from({ length: FRAMES_BEFORE_GATE + 3 }, () => gate.isClosed(silent));
    expect(FRAMES_BEFORE_GATE * 32).toBeGreaterThanOrEqual(1_000);
    expect(silence.filter((isClosed) => isClosed)).toHaveLength(3);
    expect(silence.indexOf(true)).toBe(FRAMES_BEFORE_GATE);
    expect(gate.isClosed(audible)).toBe(false);
    expect(gate.isClosed(silent)).toBe(false);
  });

  it('stays open for sound that is never silent for long', () => {
    const gate = createSilenceGate();
    for (let frame = 0; frame < 500; frame += 1) {
      expect(gate.isClosed(frame % FRAMES_BEFORE_GATE === 0 ? audible : silent)).toBe(false);
    }
  });

  it('does not count the context, which belongs to the frame before', () => {
    const gate = createSilenceGate();
    const input = frameOf(0);
    input.fill(1, 0, CONTEXT_SAMPLES);
    const closed = Array.from({ length: FRAMES_BEFORE_GATE + 1 }, () => gate.isClosed(input));
    expect(closed.at(-1)).toBe(true);
  });
});
