import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioBlock } from '../../../src/adapter.ts';
import { cutAudio, MAX_UTTERANCE_MS, wholeAudio, type Cut } from '../../../src/app/dataset/utteranceAudio.ts';

/** A recording in which each sample tells its position, in blocks of at most 100 ms; `onBlock` sees each that is read. */
async function* recording(samples: number, blockSamples = 1_600, onBlock?: () => void): AsyncGenerator<AudioBlock> {
  for (let at = 0; at < samples; at += blockSamples) {
    onBlock?.();
    const count = Math.min(blockSamples, samples - at);
    yield { startMs: at / 16, samples: Float32Array.from({ length: count }, (_, i) => at + i) };
  }
}

async function cutsOf(blocks: AsyncIterable<AudioBlock>, cuts: readonly Cut[]): Promise<Map<number, Float32Array>> {
  const found = new Map<number, Float32Array>();
  for await (const { index, samples } of cutAudio(blocks, cuts)) found.set(index, samples);
  return found;
}

describe('cutAudio', () => {
  it('gives each cut its samples, whatever the order and overlap of the cuts and the size of the blocks.', async () => {
    const span = fc.tuple(fc.float({ min: 0, max: 900, noNaN: true }), fc.float({ min: 1, max: 500, noNaN: true }));
    const any = fc.tuple(
      fc.array(span, { maxLength: 6 }),
      fc.integer({ min: 1_600, max: 20_000 }),
      fc.integer({ min: 50, max: 1_600 }),
    );
    const check = async ([spans, samples, block]: [[number, number][], number, number]): Promise<void> => {
      const cuts = spans.map(([startMs, lengthMs], index) => ({ index, startMs, endMs: startMs + lengthMs }));
      const found = await cutsOf(recording(samples, block), cuts);
      expect(found.size).toBe(cuts.length);
      for (const { index, startMs, endMs } of cuts) {
        const from = Math.round(startMs * 16);
        const to = Math.min(samples, Math.round(endMs * 16));
        expect([...found.get(index)!]).toEqual(Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i));
      }
    };
    await fc.assert(fc.asyncProperty(any, check), { numRuns: 60 });
  });

  it('yields a cut as soon as it is over, and leaves the recording when none is left.', async () => {
    let read = 0;
    const endless = recording(Infinity, 1_600, () => read++);
    const seen: [number, number][] = [];
    const cuts = [
      { index: 0, startMs: 1_000, endMs: 2_000 },
      { index: 1, startMs: 0, endMs: 500 },
    ];
    for await (const { index } of cutAudio(endless, cuts)) seen.push([index, read]);
    expect(seen).toEqual([
      [1, 6],
      [0, 21],
    ]);
    expect(read).toBe(21);
  });

  it('refuses cuts that are empty or too long, before it reads anything.', async () => {
    let read = 0;
    const blocks = (): AsyncGenerator<AudioBlock> => recording(Infinity, 1_600, () => read++);
    const odd = [
      { index: 0, startMs: 5, endMs: 5 },
      { index: 0, startMs: 5, endMs: NaN },
      { index: 0, startMs: 0, endMs: MAX_UTTERANCE_MS + 1 },
    ];
    for (const cut of odd) await expect(cutsOf(blocks(), [cut])).rejects.toThrow(RangeError);
    expect(read).toBe(0);
  });
});

describe('wholeAudio', () => {
  it('gives all samples in order, and none of an empty recording.', async () => {
    expect(await wholeAudio(recording(4_001, 700))).toEqual(Float32Array.from({ length: 4_001 }, (_, i) => i));
    expect(await wholeAudio(recording(0))).toEqual(new Float32Array(0));
  });

  it('stops at 10 minutes instead of filling memory.', async () => {
    let blocks = 0;
    const reading = wholeAudio(recording(Infinity, 160_000, () => blocks++));
    await expect(reading).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(blocks).toBe(61);
  });
});
