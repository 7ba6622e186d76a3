import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { createSileroDetector, MAX_WAITING_FRAMES } from '../../../../adapters/vad/silero/createSileroDetector.ts';
import { SILERO_RUNTIMES } from '../../../../adapters/vad/silero/sileroRuntime.ts';
import type { VoiceActivityDetector } from '../../../../src/adapter.ts';
import { concat, drain } from '../../../contracts/mediaReader.ts';
import { describeVoiceActivityDetector, noise, voiceLike } from '../../../contracts/voiceActivityDetector.ts';

for (const runtime of SILERO_RUNTIMES) {
  describeVoiceActivityDetector(`Silero on ${runtime}`, () => createSileroDetector({ runtimes: [runtime] }));
}

describe('createSileroDetector', () => {
  it('says what it is made of', async () => {
    const detector = await createSileroDetector();
    expect(detector).toMatchObject({ model: 'silero-vad-v6', runtime: 'onnxruntime-node' });
    expect(detector.name).toBe(`silero-vad-v6 (onnxruntime-node ${detector.runtimeVersion})`);
    expect(detector.runtimeVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(detector.open().frameMs).toBe(32);
    await detector.close();
  });

  it('says VAD_MISSING when nothing can run the model', async () => {
    await expect(createSileroDetector({ runtimes: [] })).rejects.toMatchObject({ code: 'VAD_MISSING' });
  });

  it('gives the same probabilities on both runtimes within 1e-4, the difference of their kernels', async () => {
    const [native, wasm] = await Promise.all(SILERO_RUNTIMES.map((name) => createSileroDetector({ runtimes: [name] })));
    const [a, b] = [await native?.open().process(voiceLike(4)), await wasm?.open().process(voiceLike(4))];
    expect(a).toHaveLength(125);
    a?.forEach((probability, index) => {
      expect(Math.abs(probability - (b?.[index] ?? 9))).toBeLessThan(1e-4);
    });
    await Promise.all([native?.close(), wasm?.close()]);
  });

  it('refuses more than ten minutes of waiting sound with a RangeError, and none of it is taken', async () => {
    const detector = await createSileroDetector();
    const stream = detector.open();
    expect(() => stream.process(new Float32Array((MAX_WAITING_FRAMES + 1) * 512))).toThrow(RangeError);
    expect(await stream.process(new Float32Array(512))).toHaveLength(1);
    await detector.close();
  });

  it('is 0 after a second of silence, and looks at new sound from its first frame on', async () => {
    const [gated, plain] = await Promise.all([createSileroDetector(), createSileroDetector({ isGated: false })]);
    const sound = new Float32Array(16_000 * 8);
    sound.set(voiceLike(2), 0);
    sound.set(voiceLike(2), 16_000 * 6);
    const [a, b] = [await gated.open().process(sound), await plain.open().process(sound)];
    const [from, to] = [Math.ceil((16_000 * 2) / 512) + 32, Math.floor((16_000 * 6) / 512)];
    expect(a.subarray(0, from)).toEqual(b.subarray(0, from));
    expect(a.subarray(from, to).every((probability) => probability === 0)).toBe(true);
    expect(Math.max(...b.subarray(from, to))).toBeLessThan(0.05);
    expect(a.subarray(to).every((probability) => probability > 0)).toBe(true);
    await Promise.all([gated.close(), plain.close()]);
  });

  it('never gates noise above -70 dB of full scale', async () => {
    const detector = await createSileroDetector();
    const probabilities = await detector.open().process(noise(3, 0.001)); // -65 dB
    expect(probabilities.every((probability) => probability > 0)).toBe(true);
    await detector.close();
  });
});

const shared = process.env['UNDERTONE_SHARED'] ?? '';
const recordings = join(shared, 'audio');
const hasShared = shared !== '' && existsSync(recordings);
const skipped = hasShared ? '' : 'skipped: needs the recordings of UNDERTONE_SHARED: ';

describe.skipIf(!hasShared)(`${skipped}Silero on recordings`, () => {
  let detector: VoiceActivityDetector;
  let plain: VoiceActivityDetector;
  beforeAll(async () => {
    detector = await createSileroDetector();
    plain = await createSileroDetector({ isGated: false });
  });
  afterAll(() => Promise.all([detector.close(), plain.close()]));
  const soundOf = async (name: string): Promise<Float32Array> =>
    concat((await drain(createFfmpegReader().decodeAudio(join(recordings, name)))).items);

  it('covers at least 90 % of the speech that people marked in pyannote-sample.wav, and little else', async () => {
    const turns = readFileSync(join(recordings, 'pyannote-sample.rttm'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map((fields) => ({ start: Number(fields[3]), end: Number(fields[3]) + Number(fields[4]) }));
    const probabilities = await detector.open().process(await soundOf('pyannote-sample.wav'));
    const frames = [...probabilities].map((probability, index) => {
      const middle = index * 0.032 + 0.016;
      return { isMarked: turns.some(({ start, end }) => middle >= start && middle < end), isSpeech: probability > 0.5 };
    });
    const both = frames.filter(({ isMarked, isSpeech }) => isMarked && isSpeech).length;
    const recall = both / frames.filter(({ isMarked }) => isMarked).length;
    const precision = both / frames.filter(({ isSpeech }) => isSpeech).length;
    expect(recall).toBeGreaterThanOrEqual(0.9); // measured: 0.984
    expect(precision).toBeGreaterThanOrEqual(0.9); // measured: 0.996
  });

  it('hears the loud frames of jfk.wav, which are words, as speech', async () => {
    // A frame is loud when it and its neighbours have a mean power above -20 dB of full scale.
    const sound = await soundOf('jfk.wav');
    const probabilities = await detector.open().process(sound);
    const levels = Array.from({ length: probabilities.length }, (_, frame) => {
      const part = sound.subarray(Math.max(0, frame - 1) * 512, (frame + 2) * 512);
      return 10 * Math.log10(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length + 1e-12);
    });
    const loud = levels.flatMap((decibels, frame) => (decibels > -20 ? [probabilities[frame] ?? 0] : []));
    expect(loud.length).toBeGreaterThan(100);
    expect(loud.filter((probability) => probability > 0.5).length / loud.length).toBeGreaterThanOrEqual(0.9);
  });

  it.each(['pyannote-sample.wav', 'support-call-stereo.wav', 'ami-dev00.wav', 'two-speakers-mono.wav', 'jfk.wav'])(
    'decides every frame of %s alike with and without the gate',
    async (name) => {
      const sound = await soundOf(name);
      const [a, b] = [await detector.open().process(sound), await plain.open().process(sound)];
      const isSpeech = (probabilities: Float32Array): boolean[] => [...probabilities].map((value) => value > 0.5);
      expect(isSpeech(a)).toEqual(isSpeech(b));
      a.forEach((probability, frame) => {
        expect(Math.abs(probability - (b[frame] ?? 9))).toBeLessThan(0.1);
      });
    },
  );
});
