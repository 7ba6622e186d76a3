import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import type { Mode } from '../../src/model/config.ts';
import { type PassOptions, substitute } from '../../src/model/fusion.ts';
import { rotate } from '../../src/model/jointEmbedding.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { dot, expectClose, randomRow, TINY, tinyParameters } from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

const random = createRandom(3);
const text = randomRow(random, TINY.width);
const audio = randomRow(random, TINY.width);

/** The substitute for the visual mode of one utterance whose text and audio have the given shares. */
function visualFrom(textShare: number, audioShare: number, options: PassOptions = {}): number[] {
  return tf.tidy(() => {
    const own = new Map<Mode, tf.Tensor2D>([
      ['text', tf.tensor2d([text])],
      ['audio', tf.tensor2d([audio])],
    ]);
    const shares = new Map<Mode, Float32Array>([
      ['text', Float32Array.of(textShare)],
      ['audio', Float32Array.of(audioShare)],
      ['visual', Float32Array.of(0)],
    ]);
    return [...hostOf(substitute(p, TINY, 'visual', own, shares, options))];
  });
}

const norm = (x: readonly number[]): number => Math.sqrt(dot(x, x));

describe('substitute', () => {
  it('maps the one mode that is there through its own map and back through that of the absent one.', () => {
    const expected = tf.tidy(() => {
      const joint = rotate(tf.tensor2d([text]), p.tensor('joint.text'), 'map');
      return hostOf(rotate(joint, p.tensor('joint.visual'), 'inverse'));
    });
    expectClose(visualFrom(1, 0), expected, 1e-6);
  });

  it('keeps the length of a lone mode, because the maps are orthogonal.', () => {
    expect(Math.abs(norm(visualFrom(0.3, 0)) - norm(text))).toBeLessThan(1e-5);
  });

  it('is the mean of what each mode alone would give, weighted by share.', () => {
    const [a, b] = [visualFrom(1, 0), visualFrom(0, 1)];
    expectClose(
      visualFrom(0.75, 0.25),
      a.map((value, k) => 0.75 * value + 0.25 * (b[k] ?? NaN)),
      1e-6,
    );
    expectClose(visualFrom(0.3, 0.1), visualFrom(0.75, 0.25), 1e-6);
  });

  it('is the plain weighted mean of the others without the joint embedding.', () => {
    const mean = text.map((value, k) => 0.75 * value + 0.25 * (audio[k] ?? NaN));
    expectClose(visualFrom(0.75, 0.25, { without: new Set(['joint-embedding']) }), mean, 1e-6);
  });

  it('is finite where no other mode is there, as in rows that are not used.', () => {
    expect(visualFrom(0, 0)).toEqual(new Array<number>(TINY.width).fill(0));
  });
});
