import { describe, expect, it } from 'vitest';
import {
  createSoundBuffer,
  MAX_KEPT_MS,
  MAX_WAITING_MS,
  type SoundBuffer,
} from '../../../../adapters/asr/deepgram/soundBuffer.ts';

/** All that can be taken, as 16-bit samples. */
function takeAll(buffer: SoundBuffer): number[] {
  const samples: number[] = [];
  for (let piece = buffer.take(); piece !== null; piece = buffer.take()) {
    expect(piece.length).toBeLessThanOrEqual(3_200);
    samples.push(...new Int16Array(piece.buffer));
  }
  return samples;
}
const ramp = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => (index % 1_000) / 32_767);

describe('createSoundBuffer', () => {
  it('gives samples back in order, as 16-bit little-endian PCM, in pieces of at most 100 ms', () => {
    const buffer = createSoundBuffer();
    buffer.push(ramp(4_000));
    expect(buffer.waitingMs()).toBe(250);
    expect(takeAll(buffer)).toEqual(Array.from({ length: 4_000 }, (_, index) => index % 1_000));
    expect(buffer.waitingMs()).toBe(0);
  });

  it('takes NaN for silence and bounds what is beyond full scale', () => {
    const buffer = createSoundBuffer();
    buffer.push(Float32Array.of(Number.NaN, Infinity, -1e38, 1, -1));
    expect(takeAll(buffer)).toEqual([0, 32_767, -32_767, 32_767, -32_767]);
  });

  it('sends again from a time that was not forgotten', () => {
    const buffer = createSoundBuffer();
    buffer.push(ramp(3_200));
    takeAll(buffer);
    buffer.forget(100);
    expect(buffer.rewind(150)).toBe(150);
    expect(takeAll(buffer)[0]).toBe(400);
    expect(buffer.rewind(0)).toBe(100);
    expect(buffer.keptFromMs()).toBe(100);
    expect(takeAll(buffer)).toHaveLength(1_600);
  });

  it('does not forget what was not sent', () => {
    const buffer = createSoundBuffer();
    buffer.push(ramp(1_600));
    buffer.forget(5_000);
    expect(takeAll(buffer)).toHaveLength(1_600);
  });

  it('keeps what was sent for 30 s and no longer', () => {
    const buffer = createSoundBuffer();
    for (let second = 0; second < 100; second += 1) {
      buffer.push(ramp(16_000));
      takeAll(buffer);
    }
    expect(buffer.keptFromMs()).toBe(100_000 - MAX_KEPT_MS);
  });

  it('refuses more than may wait', () => {
    const buffer = createSoundBuffer();
    buffer.push(new Float32Array(MAX_WAITING_MS * 16));
    expect(() => {
      buffer.push(new Float32Array(1));
    }).toThrow(RangeError);
    expect(buffer.waitingMs()).toBe(MAX_WAITING_MS);
  });
});
