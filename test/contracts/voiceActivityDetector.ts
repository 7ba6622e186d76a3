import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VoiceActivityDetector } from '../../src/adapter.ts';
import { level } from '../support/mediaFiles.ts';

/** A voice-like sound: a gliding pulse train with syllables, some noise and pauses. The same for the same arguments. */
export function voiceLike(seconds: number, seed = 1): Float32Array {
  let random = seed;
  let phase = 0;
  return level(0, seconds).map((_, index) => {
    const time = index / 16_000;
    random = (random * 48_271) % 2_147_483_647;
    phase += (120 + 30 * Math.sin(2 * Math.PI * 0.7 * time)) / 16_000;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 3 * time)) * (time % 1.5 < 1.1 ? 1 : 0);
    const harmonics = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const voice = harmonics.reduce((sum, k) => sum + Math.sin(2 * Math.PI * k * phase) / k, 0);
    return 0.15 * syllable * voice + 0.004 * (random / 2_147_483_647 - 0.5);
  });
}

/** White noise in [-amplitude, amplitude]. */
export function noise(seconds: number, amplitude: number, seed = 7): Float32Array {
  let random = seed;
  return level(0, seconds).map(() => {
    random = (random * 48_271) % 2_147_483_647;
    return amplitude * (2 * (random / 2_147_483_647) - 1);
  });
}

/** The suite of every {@link VoiceActivityDetector}. */
export function describeVoiceActivityDetector(name: string, create: () => Promise<VoiceActivityDetector>): void {
  describe(`the voice activity detector contract: ${name}`, () => {
    let detector: VoiceActivityDetector;
    beforeAll(async () => {
      detector = await create();
    });
    afterAll(() => detector.close());
    const all = async (samples: Float32Array): Promise<Float32Array> => {
      const stream = detector.open();
      const probabilities = await stream.process(samples);
      stream.close();
      return probabilities;
    };

    it('gives one probability in [0, 1] for each complete frame', async () => {
      const { frameMs } = detector.open();
      const probabilities = await all(voiceLike(3));
      expect(probabilities).toHaveLength(Math.floor(3_000 / frameMs));
      expect(probabilities.every((probability) => probability >= 0 && probability <= 1)).toBe(true);
      expect(new Set(probabilities).size).toBeGreaterThan(10);
    });

    it('gives the same probabilities however the sound is cut into blocks', async () => {
      const sound = voiceLike(1.2);
      const expected = await all(sound);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 12 }),
          async (sizes) => {
            const stream = detector.open();
            const found: number[] = [];
            for (let at = 0, block = 0; at < sound.length; block += 1) {
              const size = block < sizes.length ? (sizes[block] ?? 0) : sound.length - at;
              found.push(...(await stream.process(sound.subarray(at, at + size))));
              at += size;
            }
            expect(found).toEqual([...expected]);
          },
        ),
        { numRuns: 12 },
      );
    });

    it('keeps streams apart, however they are interleaved', async () => {
      const sounds = [voiceLike(1, 3), noise(1, 0.1), voiceLike(1, 9)];
      const expected = await Promise.all(sounds.map((sound) => all(sound)));
      const streams = sounds.map(() => detector.open());
      const found = sounds.map(() => [] as number[]);
      for (let at = 0; at < 16_000; at += 1_600) {
        const blocks = sounds.map((sound, index) => streams[index]?.process(sound.subarray(at, at + 1_600)));
        for (const [index, block] of blocks.entries()) found[index]?.push(...((await block) ?? []));
      }
      expect(found).toEqual(expected.map((probabilities) => [...probabilities]));
    });

    it('answers calls to one stream in order, also when nobody waits between them', async () => {
      const sound = voiceLike(1);
      const stream = detector.open();
      const calls = [0, 5_000, 10_000].map((at) =>
        stream.process(sound.subarray(at, at === 10_000 ? undefined : at + 5_000)),
      );
      const found = (await Promise.all(calls)).flatMap((probabilities) => [...probabilities]);
      expect(found).toEqual([...(await all(sound))]);
    });

    it('leaves the samples alone and lets their memory be used again at once', async () => {
      const sound = voiceLike(0.5);
      const copy = sound.slice();
      const expected = await all(sound);
      expect(sound).toEqual(copy);
      const stream = detector.open();
      const running = stream.process(sound);
      sound.fill(0.9);
      expect(await running).toEqual(expected);
    });

    it('is near 0 in silence and in white noise, of any level', async () => {
      for (const sound of [level(0, 3), noise(3, 0.0001), noise(3, 0.003), noise(3, 0.1), noise(3, 0.9)]) {
        const probabilities = await all(sound);
        expect(Math.max(...probabilities)).toBeLessThan(0.2);
      }
    });

    it('takes NaN and infinite samples for 0 and goes on as if nothing had been', async () => {
      const broken = voiceLike(1);
      const mended = broken.slice();
      for (const [index, value] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries()) {
        broken.fill(value, 4_000 + index * 50, 4_040 + index * 50);
        mended.fill(0, 4_000 + index * 50, 4_040 + index * 50);
      }
      expect(await all(broken)).toEqual(await all(mended));
    });

    it('survives numbers far beyond full scale', async () => {
      const probabilities = await all(new Float32Array(16_000).map((_, index) => (index % 2 === 0 ? 1e38 : -1e38)));
      expect(probabilities.every((probability) => probability >= 0 && probability <= 1)).toBe(true);
    });

    it('gives nothing for nothing', async () => {
      expect(await all(new Float32Array(0))).toHaveLength(0);
      expect(await all(new Float32Array(511))).toHaveLength(0);
    });

    it('throws a TypeError at the call after its stream was closed, and only there', async () => {
      const [closed, other] = [detector.open(), detector.open()];
      const running = closed.process(voiceLike(0.2));
      closed.close();
      closed.close();
      expect(() => closed.process(new Float32Array(1))).toThrow(TypeError);
      expect(await running).toHaveLength(6);
      expect(await other.process(voiceLike(0.2))).toHaveLength(6);
    });

    it('finishes what it was given before it closes, and throws a TypeError from then on', async () => {
      const closing = await create();
      const stream = closing.open();
      const running = stream.process(voiceLike(1));
      const closed = closing.close();
      expect(() => stream.process(new Float32Array(1))).toThrow(TypeError);
      expect(() => closing.open()).toThrow(TypeError);
      expect(await running).toHaveLength(31);
      await closed;
      await closing.close();
    });
  });
}
