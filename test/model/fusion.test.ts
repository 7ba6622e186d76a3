import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MODEL_INPUTS } from '../../src/domain/conversationModel.ts';
import { MODALITIES } from '../../src/domain/modality.ts';
import { startBackend } from '../../src/model/backend.ts';
import { MODES } from '../../src/model/config.ts';
import { fuse, PAIRS, type PassOptions } from '../../src/model/fusion.ts';
import { toModalityWeights } from '../../src/model/modalityWeights.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import { freezeParameters, type Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import {
  expectClose,
  onHost,
  randomUtterance,
  TINY,
  type TinyUtterance,
  tinyParameters,
  tinyValues,
  toBatch,
  worstDifference,
} from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

const SUBSET = fc.subarray([...MODEL_INPUTS], { minLength: 1 });
const WIDTH = 3 * TINY.width;

function fusedOf(utterances: readonly TinyUtterance[], parameters = p, options: PassOptions = {}): Float32Array[] {
  return tf.tidy(() => {
    const fused = hostOf(fuse(parameters, TINY, toBatch(utterances), options).fused);
    return utterances.map((_, i) => fused.slice(i * WIDTH, (i + 1) * WIDTH));
  });
}

const fusedOne = (utterance: TinyUtterance, parameters = p, options: PassOptions = {}): Float32Array =>
  fusedOf([utterance], parameters, options)[0] ?? new Float32Array(0);

/** Parameters in which the named ones are replaced. */
function changed(change: (name: string, values: Float32Array) => void): Parameters & { dispose(): void } {
  const values = tinyValues();
  values.forEach((array, name) => change(name, array));
  return freezeParameters(TINY, values);
}

describe('fuse', () => {
  it('gives finite vectors, and weights that are 0 for absent modalities and sum to 1, for any subset of inputs.', () => {
    fc.assert(
      fc.property(SUBSET, fc.nat(), (present, seed) => {
        const utterance = randomUtterance(createRandom(seed), present);
        tf.tidy(() => {
          const fusion = fuse(p, TINY, toBatch([utterance]));
          expect(fusion.fused.shape).toEqual([1, WIDTH]);
          expect(hostOf(fusion.fused).every(Number.isFinite)).toBe(true);
          const shares = new Map(MODES.map((mode) => [mode, fusion.shares.get(mode)?.[0] ?? NaN]));
          const given = MODALITIES.map((modality) => utterance.shares[modality]);
          const weights = toModalityWeights(hostOf(fusion.gates), shares, given);
          let sum = 0;
          for (const modality of MODALITIES) {
            const isThere = TINY.inputs.some(
              (spec) => spec.modality === modality && present.some((name) => name === spec.name),
            );
            if (!isThere) expect(weights[modality]).toBe(0);
            else expect(weights[modality]).toBeGreaterThan(0);
            sum += weights[modality];
          }
          expect(Math.abs(sum - 1)).toBeLessThan(1e-9);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('fuses an utterance in a batch as it fuses it alone, within 1e-5, whatever its neighbours lack.', () => {
    fc.assert(
      fc.property(fc.array(SUBSET, { minLength: 2, maxLength: 5 }), fc.nat(), (subsets, seed) => {
        const draw = createRandom(seed);
        const utterances = subsets.map((present) => randomUtterance(draw, present));
        fusedOf(utterances).forEach((fused, i) => expectClose(fused, fusedOne(utterances[i] as TinyUtterance), 1e-5));
      }),
      { numRuns: 25 },
    );
  });

  it('treats a mode of share 0 as absent even when tokens came along: nothing of it is used.', () => {
    const full = randomUtterance(createRandom(4), [...MODEL_INPUTS]);
    for (const [name, modalities] of [
      ['text', ['text']],
      ['segments', ['audio']],
      ['face', ['face', 'body']],
    ] as const) {
      const shares = { ...full.shares };
      for (const modality of modalities) shares[modality] = 0;
      const rows = [...full.rows].filter(([input]) => {
        const modality = TINY.inputs.find((spec) => spec.name === input)?.modality;
        return !modalities.some((absent) => absent === modality);
      });
      expect(full.rows.has(name)).toBe(true);
      const without = fusedOne({ rows: new Map(rows), shares });
      expectClose(fusedOne({ ...full, shares }), without, 1e-6);
      expect(worstDifference(without, fusedOne(full))).toBeGreaterThan(1e-3);
    }
  });

  it('uses the joint embedding only where a mode is absent.', () => {
    const turned = changed((name, values) => {
      if (name.startsWith('joint.')) values.reverse();
    });
    const full = randomUtterance(createRandom(6), [...MODEL_INPUTS]);
    expect([...fusedOne(full, turned)]).toEqual([...fusedOne(full)]);
    const partial = randomUtterance(createRandom(6), ['text', 'face']);
    expect(worstDifference(fusedOne(partial, turned), fusedOne(partial))).toBeGreaterThan(1e-3);
    turned.dispose();
  });

  it('marks an absent mode by share 0, the visual mode by the better of its two streams.', () => {
    const utterance = randomUtterance(createRandom(2), ['face', 'body', 'prosody']);
    const shares = { ...utterance.shares, face: 0.25, body: 0.75, audio: 0.5 };
    const found = onHost(() => fuse(p, TINY, toBatch([{ ...utterance, shares }])).shares);
    expect(MODES.map((mode) => found.get(mode)?.[0])).toEqual([0, 0.5, 0.75]);
  });

  it('refuses an utterance without any mode, by its number.', () => {
    const nothing = { rows: new Map(), shares: { text: 0, audio: 0, face: 0, body: 0 } };
    const batch = toBatch([randomUtterance(createRandom(1), ['text']), nothing]);
    expect(() => onHost(() => fuse(p, TINY, batch))).toThrow(
      new RangeError('fuse: utterance 1 of the batch has no modality'),
    );
    batch.inputs.forEach(({ rows }) => rows.dispose());
  });

  it('mixes own and other descriptors half and half without query adaptive fusion.', () => {
    const utterance = randomUtterance(createRandom(3), [...MODEL_INPUTS]);
    tf.tidy(() => {
      const fusion = fuse(p, TINY, toBatch([utterance]), { without: new Set(['qaf']) });
      expect([...hostOf(fusion.gates)]).toEqual(PAIRS.map(() => 0.5));
      const f = MODES.map((mode) => hostOf(fusion.descriptors.get(mode) as tf.Tensor2D));
      const expected = f.flatMap((own, m) =>
        [...own].map((value, k) => {
          const others = f.filter((_, n) => n !== m).map((other) => other[k] ?? NaN);
          return value / 2 + others.reduce((a, b) => a + b, 0) / 4;
        }),
      );
      expectClose(hostOf(fusion.fused), expected, 1e-6);
    });
  });

  it('leaves no tensor behind.', () => {
    const batch = toBatch([
      randomUtterance(createRandom(7), ['text', 'face']),
      randomUtterance(createRandom(8), ['body']),
    ]);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) tf.tidy(() => hostOf(fuse(p, TINY, batch).fused));
    expect(tf.memory().numTensors).toBe(before);
    batch.inputs.forEach(({ rows }) => rows.dispose());
  });
});
