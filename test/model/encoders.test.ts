import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MODEL_INPUTS } from '../../src/domain/conversationModel.ts';
import { startBackend } from '../../src/model/backend.ts';
import { type Mode, MODES, modeOf } from '../../src/model/config.ts';
import { encode } from '../../src/model/encoders.ts';
import { bilstm, normalise } from '../../src/model/layers.ts';
import { attend } from '../../src/model/ops/attention.ts';
import { countOf, toOffsets } from '../../src/model/ops/ragged.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import {
  expectClose,
  onHost,
  randomUtterance,
  TINY,
  type TinyUtterance,
  tinyParameters,
  toBatch,
  worstDifference,
} from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

const random = createRandom(20);
const SUBSET = fc.subarray([...MODEL_INPUTS], { minLength: 1 });

/** Tokens of each utterance and mode, on the host. */
function encoded(utterances: readonly TinyUtterance[]): Map<Mode, Float32Array>[] {
  return onHost(() => {
    const modes = encode(p, TINY, toBatch(utterances));
    return utterances.map(
      (_, i) =>
        new Map(
          [...modes].map(([mode, { tokens, offsets }]) => {
            const own = hostOf(tokens).slice((offsets[i] ?? 0) * TINY.width, (offsets[i + 1] ?? 0) * TINY.width);
            return [mode, own];
          }),
        ),
    );
  });
}

function tokenCount(utterance: TinyUtterance, mode: Mode): number {
  return (encoded([utterance])[0]?.get(mode)?.length ?? 0) / TINY.width;
}

describe('encode', () => {
  it('makes no tokens for a mode that no utterance has.', () => {
    const modes = tf.tidy(() => [...encode(p, TINY, toBatch([randomUtterance(random, ['text'])])).keys()]);
    expect(modes).toEqual(['text']);
  });

  it('makes finite tokens for exactly the modes of each utterance, for any subset of inputs.', () => {
    fc.assert(
      fc.property(SUBSET, SUBSET, fc.nat(), (one, other, seed) => {
        const draw = createRandom(seed);
        const results = encoded([randomUtterance(draw, one), randomUtterance(draw, other)]);
        [one, other].forEach((present, i) => {
          for (const mode of MODES) {
            const tokens = results[i]?.get(mode) ?? new Float32Array(0);
            const isThere = TINY.inputs.some(
              (spec) => modeOf(spec.modality) === mode && present.some((name) => name === spec.name),
            );
            expect(tokens.length > 0).toBe(isThere);
            expect(tokens.every(Number.isFinite)).toBe(true);
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  it('encodes an utterance in a batch as it encodes it alone, within 1e-5.', () => {
    fc.assert(
      fc.property(fc.array(SUBSET, { minLength: 2, maxLength: 4 }), fc.nat(), (subsets, seed) => {
        const draw = createRandom(seed);
        const utterances = subsets.map((present) => randomUtterance(draw, present));
        encoded(utterances).forEach((modes, i) => {
          const alone = encoded([utterances[i] as TinyUtterance])[0] ?? new Map<Mode, Float32Array>();
          for (const mode of MODES) expectClose(modes.get(mode) ?? [], alone.get(mode) ?? [], 1e-5);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('shortens a long sequence to its token limit and leaves a short one as it is.', () => {
    const rows = (count: number): TinyUtterance => ({
      rows: new Map([['segments', Array.from({ length: count }, () => [0.1, 0.2, 0.3, 0.4])]]),
      shares: { text: 0, audio: 1, face: 0, body: 0 },
    });
    expect([1, 3, 4, 5, 100].map((count) => tokenCount(rows(count), 'audio'))).toEqual([1, 3, 4, 4, 4]);
  });

  it('joins what one utterance has of a mode: segments and prosody, face and body.', () => {
    const both = randomUtterance(createRandom(1), ['segments', 'prosody']);
    const segments = both.rows.get('segments')?.length ?? 0;
    expect(tokenCount(both, 'audio')).toBe(Math.min(4, segments) + 1);
    const seen = randomUtterance(createRandom(2), ['face', 'body']);
    const lengths = ['face', 'body'].map((name) => Math.min(4, seen.rows.get(name)?.length ?? 0));
    expect(tokenCount(seen, 'visual')).toBe((lengths[0] ?? 0) + (lengths[1] ?? 0));
  });

  it('reads words and frames in their order: reversing them changes the tokens.', () => {
    for (const name of ['text', 'segments', 'face', 'body']) {
      const utterance = { ...randomUtterance(createRandom(8), [name]) };
      const rows = [...(utterance.rows.get(name) ?? [])];
      expect(rows.length).toBeGreaterThan(1);
      const reversed = { ...utterance, rows: new Map([[name, rows.toReversed()]]) };
      const mode = name === 'text' ? 'text' : name === 'segments' ? 'audio' : 'visual';
      const [a, b] = [utterance, reversed].map((given) => encoded([given])[0]?.get(mode) ?? []);
      expect(worstDifference(a ?? [], b ?? [])).toBeGreaterThan(1e-3);
    }
  });

  it('reads text in both directions and then attends to itself, as its layers do one by one.', () => {
    const { rows, shares } = randomUtterance(createRandom(8), ['text']);
    const words = [...(rows.get('text') ?? [])];
    const order = words.map((_, i) => i);
    const expected = onHost(() => {
      const h = bilstm(p, 'text', tf.tensor2d(words), [order], [order.toReversed()]);
      const keysValues: tf.Tensor2D = tf.matMul(h, p.tensor('text.self.0.kv'));
      const source = { keysValues, offsets: toOffsets([words.length]), weights: Float32Array.of(1) };
      const seen = attend(tf.matMul(h, p.tensor('text.self.0.q')), source.offsets, [source], TINY.heads);
      return hostOf(normalise(p, 'text.self.0.norm', tf.add(h, tf.matMul(seen, p.tensor('text.self.0.o')))));
    });
    expect(words.length).toBeGreaterThan(1);
    expectClose(encoded([{ rows, shares }])[0]?.get('text') ?? [], expected, 1e-6);
  });

  it('makes several tokens of a vector when its input says so.', () => {
    const config = { ...TINY, inputs: TINY.inputs.map((s) => (s.name === 'prosody' ? { ...s, tokens: 3 } : s)) };
    const wide = tinyParameters(config);
    const counts = tf.tidy(() => {
      const audio = encode(wide, config, toBatch([randomUtterance(random, ['prosody'])], config)).get('audio');
      return audio && [audio.tokens.shape, countOf(audio.offsets, 0)];
    });
    wide.dispose();
    expect(counts).toEqual([[3, TINY.width], 3]);
  });

  it('drops values out while training, and only then.', () => {
    const batch = toBatch([randomUtterance(createRandom(5), ['text'])]);
    const tokens = (training?: { dropout: number; random: () => number }): number[] =>
      tf.tidy(() => {
        const text = encode(p, TINY, batch, training).get('text');
        return text ? [...hostOf(text.tokens)] : [];
      });
    expect(tokens({ dropout: 0.5, random: createRandom(1) })).not.toEqual(tokens());
    expect(tokens({ dropout: 0, random: createRandom(1) })).toEqual(tokens());
    expect(tokens({ dropout: 0.5, random: createRandom(1) })).toEqual(
      tokens({ dropout: 0.5, random: createRandom(1) }),
    );
    batch.inputs.forEach(({ rows }) => rows.dispose());
  });
});
