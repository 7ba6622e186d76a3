import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import { type Mode, MODES } from '../../src/model/config.ts';
import { crossAttend, toKeysValues } from '../../src/model/crossAttention.ts';
import type { ModeTokens } from '../../src/model/encoders.ts';
import { dense, normalise } from '../../src/model/layers.ts';
import { toOffsets } from '../../src/model/ops/ragged.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { expectClose, randomRow, TINY, tinyParameters, worstDifference } from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

type Given = Partial<Record<Mode, { rows: number[][]; share: number }>>;

/** What the central mode of one utterance becomes when the given modes are there. */
function attended(central: Mode, given: Given): Float32Array {
  return tf.tidy(() => {
    const modes = new Map<Mode, ModeTokens>();
    for (const mode of MODES) {
      const own = given[mode];
      if (own) modes.set(mode, { tokens: tf.tensor2d(own.rows), offsets: toOffsets([own.rows.length]) });
    }
    const shareOf = (mode: Mode): Float32Array => Float32Array.of(given[mode]?.share ?? 0);
    const context = { modes, keysValues: toKeysValues(p, TINY, modes), shareOf };
    return hostOf(crossAttend(p, TINY, { mode: central, given: modes.get(central) as ModeTokens }, context));
  });
}

const draw = createRandom(9);
const rows = (count: number): number[][] => Array.from({ length: count }, () => randomRow(draw, TINY.width));
const text = { rows: rows(3), share: 1 };
const audio = { rows: rows(2), share: 0.8 };
const visual = { rows: rows(4), share: 0.4 };

describe('crossAttend', () => {
  it('keeps the rows of the central mode.', () => {
    expect(attended('text', { text, audio, visual }).length).toBe(3 * TINY.width);
  });

  it('leaves a mode of share 0 out exactly, whatever its tokens hold.', () => {
    const without = attended('text', { text, audio });
    const masked = attended('text', { text, audio, visual: { ...visual, share: 0 } });
    const shouting = { rows: visual.rows.map((row) => row.map((value) => 1000 * value)), share: 0 };
    expect([...masked]).toEqual([...without]);
    expect([...attended('text', { text, audio, visual: shouting })]).toEqual([...without]);
  });

  it('is not what a mode of zeros gives: those would be attended to.', () => {
    const zeros = { rows: visual.rows.map((row) => row.map(() => 0)), share: 0.4 };
    const difference = worstDifference(
      attended('text', { text, audio, visual: zeros }),
      attended('text', { text, audio }),
    );
    expect(difference).toBeGreaterThan(1e-3);
  });

  it('weighs the others by their shares, renormalised: only the ratio counts.', () => {
    const half = attended('text', { text, audio: { ...audio, share: 0.4 }, visual: { ...visual, share: 0.2 } });
    expectClose(half, attended('text', { text, audio, visual }), 1e-6);
    const other = attended('text', { text, audio: { ...audio, share: 0.1 }, visual });
    expect(worstDifference(other, attended('text', { text, audio, visual }))).toBeGreaterThan(1e-3);
  });

  it('does not depend on the share of the central mode itself.', () => {
    const low = attended('text', { text: { ...text, share: 0.1 }, audio, visual });
    expect([...low]).toEqual([...attended('text', { text, audio, visual })]);
  });

  it('passes a lone mode through the feed-forward layers alone.', () => {
    const expected = tf.tidy(() => {
      let g = tf.tensor2d(text.rows);
      for (let l = 0; l < TINY.layers; l++) {
        g = normalise(p, `acn.${l}.text.norm1`, g);
        const inner = dense(p, `acn.${l}.text.ff2`, dense(p, `acn.${l}.text.ff1`, g, 'relu'));
        g = normalise(p, `acn.${l}.text.norm2`, tf.add(g, inner));
      }
      return hostOf(g);
    });
    expect([...attended('text', { text })]).toEqual([...expected]);
  });

  it('does not depend on the order of the tokens of another mode.', () => {
    const turned = { ...visual, rows: visual.rows.toReversed() };
    expectClose(attended('text', { text, visual: turned }), attended('text', { text, visual }), 1e-5);
  });

  it('gives each layer and mode its own keys and values.', () => {
    const shapes = tf.tidy(() => {
      const modes = new Map<Mode, ModeTokens>([
        ['audio', { tokens: tf.tensor2d(audio.rows), offsets: toOffsets([2]) }],
      ]);
      return toKeysValues(p, TINY, modes).map((layer) => [...layer].map(([mode, kv]) => [mode, kv.shape]));
    });
    const expected = [['audio', [2, 2 * TINY.width]]];
    expect(shapes).toEqual([expected, expected]);
  });
});
