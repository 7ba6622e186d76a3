import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBatcher, MAX_BATCH, type SileroStep } from '../../../../adapters/vad/silero/createBatcher.ts';
import { createSileroFrames, INPUT_SAMPLES } from '../../../../adapters/vad/silero/sileroFrames.ts';
import { buildSileroGraph } from '../../../../adapters/vad/silero/sileroGraph.ts';
import { loadSileroRuntime, type SileroRuntime } from '../../../../adapters/vad/silero/sileroRuntime.ts';
import { noise, voiceLike } from '../../../contracts/voiceActivityDetector.ts';

const path = createRequire(import.meta.url).resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
const rate = new Tensor('int64', BigInt64Array.of(16_000n), []);

let file: Uint8Array;
let original: InferenceSession;
let ours: SileroRuntime;

beforeAll(async () => {
  file = await readFile(path);
  original = await InferenceSession.create(file, { intraOpNumThreads: 1 });
  ours = await loadSileroRuntime();
});
afterAll(async () => {
  await Promise.all([original.release(), ours.session.release()]);
});

/** What the model of the package says of consecutive frames: the reference. */
async function askOriginal(inputs: readonly Float32Array[]): Promise<readonly SileroStep[]> {
  const steps: SileroStep[] = [];
  let state = new Float32Array(256);
  for (const input of inputs) {
    const { output, stateN } = await original.run({
      input: new Tensor('float32', input, [1, INPUT_SAMPLES]),
      state: new Tensor('float32', state, [2, 1, 128]),
      sr: rate,
    });
    state = Float32Array.from(stateN?.data as Float32Array);
    steps.push({ probability: (output?.data as Float32Array)[0] ?? NaN, state });
  }
  return steps;
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0);
}

describe('buildSileroGraph', () => {
  it.each([
    ['a voice', voiceLike(3, 4)],
    ['loud noise', noise(2, 0.9, 3)],
    ['silence', new Float32Array(16_000)],
    [
      'an impulse at the end of a frame, which is mirrored',
      Float32Array.from({ length: 16_000 }, (_, i) => +(i % 512 === 500)),
    ],
  ])('hears in %s what the model of the package hears, within the rounding of 32 bits', async (_, sound) => {
    const classify = createBatcher(ours, 0);
    const inputs = createSileroFrames().push(sound);
    const expected = await askOriginal(inputs);
    let state: Float32Array | null = null;
    for (const [at, input] of inputs.entries()) {
      const step: SileroStep = await classify(input, state);
      state = step.state;
      expect(Math.abs(step.probability - (expected[at]?.probability ?? NaN))).toBeLessThan(1e-4);
      expect(furthest(step.state, expected[at]?.state ?? [])).toBeLessThan(1e-3);
    }
  });

  it('gives a frame the very same numbers in batches of every size', async () => {
    const inputs = createSileroFrames().push(voiceLike((MAX_BATCH * 512) / 16_000, 2));
    const reference = await Promise.all(inputs.map(createBatcherCall()));
    for (const size of [1, 2, 3, 5, 8, 13, 31, 64, 127]) {
      const steps = await Promise.all(inputs.slice(-size).map(createBatcherCall()));
      expect(steps).toEqual(reference.slice(-size));
    }
    function createBatcherCall(): (input: Float32Array) => Promise<SileroStep> {
      const classify = createBatcher(ours, 0);
      return (input) =>
        classify(
          input,
          Float32Array.from({ length: 256 }, (_, i) => Math.sin(i) / 2),
        );
    }
  });

  it('refuses a model without the weights that it knows with a RangeError', () => {
    expect(() => buildSileroGraph(new Uint8Array(0))).toThrow('the model has no stft.forward_basis_buffer');
    expect(() => buildSileroGraph(file.subarray(0, 1_000))).toThrow(RangeError);
  });
});
