import type { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createBatcher, MAX_BATCH } from '../../../../adapters/vad/silero/createBatcher.ts';
import { createSileroDetector } from '../../../../adapters/vad/silero/createSileroDetector.ts';
import { INPUT_SAMPLES } from '../../../../adapters/vad/silero/sileroFrames.ts';
import { loadSileroRuntime, type SileroRuntime } from '../../../../adapters/vad/silero/sileroRuntime.ts';
import { noise, voiceLike } from '../../../contracts/voiceActivityDetector.ts';

/** The real runtime, with the sizes of its batches; `fails` says which of them break. */
async function counted(fails: (batch: number) => boolean = () => false) {
  const runtime = await loadSileroRuntime();
  const sizes: number[] = [];
  const run = async (feeds: InferenceSession.FeedsType): Promise<InferenceSession.ReturnType> => {
    sizes.push(feeds['halves']?.dims[1] ?? 0);
    if (fails(sizes.length)) throw new Error('broken');
    return runtime.session.run(feeds);
  };
  const session = Object.assign(Object.create(runtime.session) as SileroRuntime['session'], { run });
  return { runtime: { ...runtime, session }, sizes };
}

const inputs = (count: number): readonly Float32Array[] =>
  Array.from({ length: count }, (_, seed) => noise(INPUT_SAMPLES / 16_000, 0.5, seed + 1));

describe('createBatcher', () => {
  it('asks the model once of all that comes in one turn of the event loop', async () => {
    const { runtime, sizes } = await counted();
    const classify = createBatcher(runtime, 0);
    const steps = await Promise.all(inputs(5).map((input) => classify(input, null)));
    expect(sizes).toEqual([5]);
    expect(new Set(steps.map(({ probability }) => probability)).size).toBe(5);
  });

  it('gives the very numbers that each frame gives alone, states and all, step after step', async () => {
    const { runtime } = await counted();
    const [together, alone] = [createBatcher(runtime, 0), createBatcher(runtime, 0)];
    let states: (Float32Array | null)[] = inputs(7).map(() => null);
    for (let round = 0; round < 3; round++) {
      const steps = await Promise.all(inputs(7).map((input, row) => together(input, states[row] ?? null)));
      for (const [row, input] of inputs(7).entries())
        expect(steps[row]).toEqual(await alone(input, states[row] ?? null));
      states = steps.map(({ state }) => state);
    }
  });

  it(`asks of ${MAX_BATCH} frames at once at most, the first come first`, async () => {
    const { runtime, sizes } = await counted();
    const classify = createBatcher(runtime, 1);
    const done: number[] = [];
    const all = inputs(2 * MAX_BATCH + 3).map(async (input, index) => {
      await classify(input, null);
      done.push(index);
    });
    await Promise.all(all);
    expect(sizes).toEqual([MAX_BATCH, MAX_BATCH, 3]);
    expect(done).toEqual(all.map((_, index) => index));
  });

  it('gathers what comes while a batch waits or runs', async () => {
    const { runtime, sizes } = await counted();
    const classify = createBatcher(runtime, 5);
    const first = classify(new Float32Array(INPUT_SAMPLES), null);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, classify(new Float32Array(INPUT_SAMPLES), null)]);
    expect(sizes).toEqual([2]);
  });

  it('rejects the frames of a batch that fails, and goes on with the next', async () => {
    const { runtime, sizes } = await counted((batch) => batch === 1);
    const classify = createBatcher(runtime, 0);
    const settled = await Promise.allSettled(inputs(3).map((input) => classify(input, null)));
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await classify(new Float32Array(INPUT_SAMPLES), null)).toMatchObject({ probability: expect.any(Number) });
    expect(sizes).toEqual([3, 1]);
  });

  it('says INTERNAL of a model that gives no probability', async () => {
    const { runtime } = await counted();
    const session = Object.assign(Object.create(runtime.session) as SileroRuntime['session'], {
      run: async () => ({}),
    });
    const classify = createBatcher({ ...runtime, session }, 0);
    await expect(classify(new Float32Array(INPUT_SAMPLES), null)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('a detector that gathers', () => {
  it('gives 30 streams that talk at once what it would give each alone', async () => {
    const [gathering, plain] = [await createSileroDetector({ gatherMs: 5 }), await createSileroDetector()];
    const sounds = Array.from({ length: 30 }, (_, seed) => voiceLike(0.6, seed + 1));
    const found = await Promise.all(sounds.map((sound) => gathering.open().process(sound)));
    for (const [index, sound] of sounds.entries()) expect(found[index]).toEqual(await plain.open().process(sound));
    await Promise.all([gathering.close(), plain.close()]);
  });
});
