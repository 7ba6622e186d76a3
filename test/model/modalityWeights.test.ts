import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { MODALITIES, type Modality, type PerModality } from '../../src/domain/modality.ts';
import { startBackend } from '../../src/model/backend.ts';
import { type Mode, MODES, modeOf } from '../../src/model/config.ts';
import { fuse, PAIRS } from '../../src/model/fusion.ts';
import { toModalityWeights } from '../../src/model/modalityWeights.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import { freezeParameters, gateInputWidth, type Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { randomUtterance, TINY, type TinyUtterance, tinyValues, toBatch } from '../support/tinyModel.ts';

beforeAll(() => startBackend('cpu'));

const HALF = PAIRS.map(() => 0.5);

/** Weights for the given shares in the order of MODALITIES. */
function weightsOf(shares: readonly number[], gates: readonly number[] = HALF): PerModality<number> {
  const of = (modality: Modality): number => shares[MODALITIES.indexOf(modality)] ?? 0;
  const modes: [Mode, number][] = [
    ['text', of('text')],
    ['audio', of('audio')],
    ['visual', Math.max(of('face'), of('body'))],
  ];
  return toModalityWeights(gates, new Map(modes), shares);
}

describe('toModalityWeights', () => {
  it('gives each mode a third when all are there and every gate is one half; face and body divide theirs.', () => {
    const { text, audio, face, body } = weightsOf([1, 1, 1, 1]);
    expect([text, audio, face, body].map((w) => w.toFixed(6))).toEqual([
      '0.333333',
      '0.333333',
      '0.166667',
      '0.166667',
    ]);
  });

  it('divides the visual weight between face and body in proportion to how much of each was there.', () => {
    const { face, body } = weightsOf([1, 1, 0.6, 0.2]);
    expect(face / body).toBeCloseTo(3, 9);
    expect(weightsOf([1, 1, 0, 0.2]).face).toBe(0);
    expect(weightsOf([1, 1, 0, 0.2]).body).toBeCloseTo(1 / 3, 9);
  });

  it('credits a substituted mode to the modes it was made from, in proportion to their shares.', () => {
    const { text, audio, face, body } = weightsOf([0.75, 0.25, 0, 0]);
    expect([face, body]).toEqual([0, 0]);
    expect(text).toBeCloseTo(1 / 3 + 0.75 / 3, 9);
    expect(audio).toBeCloseTo(1 / 3 + 0.25 / 3, 9);
  });

  it('is 1 for the only modality there is.', () => {
    expect(weightsOf([0, 0.1, 0, 0])).toEqual({ text: 0, audio: 1, face: 0, body: 0 });
  });

  it('follows the gates: an open gate moves the weight to the other mode of its pair.', () => {
    const toText = PAIRS.map(([m, n]) => (n === 'text' ? 1 : m === 'text' ? 0 : 0.5));
    const { text, audio, face } = weightsOf([1, 1, 1, 0], toText);
    expect(text).toBeCloseTo(4 / 6, 9);
    expect(audio).toBeCloseTo(1 / 6, 9);
    expect(face).toBeCloseTo(1 / 6, 9);
  });

  it('is never negative, exactly 0 for what is absent, and sums to 1, for any gates and shares.', () => {
    const gates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 });
    const share = fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true }));
    fc.assert(
      fc.property(gates, fc.tuple(share, share, share, share), (alpha, shares) => {
        fc.pre(shares.some((value) => value > 0));
        const weights = weightsOf(shares, alpha);
        MODALITIES.forEach((modality, i) => {
          expect(weights[modality]).toBeGreaterThanOrEqual(0);
          if (shares[i] === 0) expect(weights[modality]).toBe(0);
        });
        expect(MODALITIES.reduce((sum, modality) => sum + weights[modality], 0)).toBeCloseTo(1, 9);
      }),
    );
  });
});

/** A model whose gates open toward `favoured`: one hidden unit says "the other of the pair is it", the bias shuts the rest. */
function skewedToward(favoured: Mode): Parameters & { dispose(): void } {
  const values = tinyValues();
  const hidden = new Float32Array(gateInputWidth(TINY.width) * TINY.width);
  hidden[(2 * TINY.width + 4 + MODES.length + MODES.indexOf(favoured)) * TINY.width] = 1;
  values.set('fusion.hidden.w', hidden).set('fusion.hidden.b', new Float32Array(TINY.width));
  values.set('fusion.gate.w', new Float32Array(TINY.width ** 2).fill(6, 0, TINY.width));
  values.set('fusion.gate.b', new Float32Array(TINY.width).fill(-3));
  return freezeParameters(TINY, values);
}

function without(utterance: TinyUtterance, mode: Mode): TinyUtterance {
  const gone = TINY.inputs.filter((spec) => modeOf(spec.modality) === mode);
  const shares = { ...utterance.shares };
  for (const { modality } of gone) shares[modality] = 0;
  return { rows: new Map([...utterance.rows].filter(([name]) => !gone.some((spec) => spec.name === name))), shares };
}

describe('modality weights against an ablation', () => {
  it('name the mode whose removal moves the fused result most, on average over 40 utterances.', () => {
    for (const favoured of MODES) {
      const p = skewedToward(favoured);
      const random = createRandom(30);
      const moved = new Map<Mode, number>(MODES.map((mode) => [mode, 0]));
      const credited = new Map<Mode, number>(MODES.map((mode) => [mode, 0]));
      for (let i = 0; i < 40; i++) {
        const drawn = randomUtterance(random, ['text', 'segments', 'face', 'body']);
        const utterance = { ...drawn, shares: { text: 1, audio: 1, face: 1, body: 1 } };
        const { fused, gates } = passed(p, utterance);
        const weights = weightsOf([1, 1, 1, 1], gates);
        for (const modality of MODALITIES) bump(credited, modeOf(modality), weights[modality]);
        for (const mode of MODES) {
          const rest = passed(p, without(utterance, mode)).fused;
          bump(moved, mode, Math.hypot(...fused.map((value, k) => value - (rest[k] ?? NaN))));
        }
      }
      p.dispose();
      expect(heaviest(credited)).toBe(favoured);
      expect(heaviest(moved)).toBe(favoured);
    }
  });
});

function passed(p: Parameters, utterance: TinyUtterance): { fused: number[]; gates: number[] } {
  return tf.tidy(() => {
    const fusion = fuse(p, TINY, toBatch([utterance]));
    return { fused: [...hostOf(fusion.fused)], gates: [...hostOf(fusion.gates)] };
  });
}

function bump(map: Map<Mode, number>, mode: Mode, by: number): void {
  map.set(mode, (map.get(mode) ?? NaN) + by);
}

function heaviest(map: ReadonlyMap<Mode, number>): Mode | undefined {
  return [...map].sort(([, a], [, b]) => b - a)[0]?.[0];
}
