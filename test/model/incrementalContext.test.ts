import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import { type ModelConfig } from '../../src/model/config.ts';
import { classifyDialogues, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { createIncrementalContext, type IncrementalContext, MAX_SPEAKERS } from '../../src/model/incrementalContext.ts';
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

type Said = { readonly speaker: string; readonly fused: Float32Array | undefined };

const DIALOGUE = fc
  .record({
    speakers: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 }),
    silent: fc.array(fc.nat(11), { maxLength: 3 }),
    seed: fc.nat(),
  })
  .map(({ speakers, silent, seed }) => {
    const random = createRandom(seed);
    return speakers.map((speaker, i): Said => {
      const fused = Float32Array.from(randomRow(random, 3 * TINY.width));
      return { speaker, fused: silent.includes(i) ? undefined : fused };
    });
  });

/** Offline logits of every utterance of a dialogue; utterances without modality are not in it. */
function offline(dialogue: readonly Said[]): (Float32Array | undefined)[] {
  const heard = dialogue.flatMap(({ fused, speaker }, i) => (fused ? [{ i, fused, speaker }] : []));
  const result: (Float32Array | undefined)[] = dialogue.map(() => undefined);
  if (heard.length === 0) return result;
  const logits = tf.tidy(() => {
    const rows = tf.tensor2d(
      heard.flatMap(({ fused }) => [...fused]),
      [heard.length, 3 * TINY.width],
    );
    const whole = { rows: heard.map((_, row) => row), speakers: heard.map(({ speaker }) => speaker) };
    return hostOf(classifyDialogues(p, rows, [whole], WHOLE_FUTURE));
  });
  const n = TINY.labels.length;
  heard.forEach(({ i }, row) => (result[i] = logits.slice(row * n, (row + 1) * n)));
  return result;
}

function open(lookAhead: number, dialogue: readonly Said[] = []): IncrementalContext {
  const config: ModelConfig = { ...TINY, lookAhead };
  const context = createIncrementalContext(p, config);
  for (const [i, { speaker, fused }] of dialogue.entries()) {
    context.push(`u${i}`, speaker, fused);
    while (context.memory.window.length > lookAhead) context.retire();
  }
  return context;
}

function expectSame(
  actual: readonly (Float32Array | undefined)[],
  expected: readonly (Float32Array | undefined)[],
): void {
  expect(actual.map((logits) => logits !== undefined)).toEqual(expected.map((logits) => logits !== undefined));
  actual.forEach((logits, i) => expectClose(logits ?? [], expected[i] ?? [], 1e-5));
}

describe('createIncrementalContext', () => {
  it('equals the offline network within 1e-5 after every utterance, while the window covers everything.', () => {
    fc.assert(
      fc.property(DIALOGUE, (dialogue) => {
        const context = open(12);
        dialogue.forEach(({ speaker, fused }, i) => {
          context.push(`u${i}`, speaker, fused);
          expectSame(context.classify(), offline(dialogue.slice(0, i + 1)));
        });
      }),
      { numRuns: 25 },
    );
  });

  it('equals, for a shorter window, the offline network whose backward streams are cut so far ahead.', () => {
    fc.assert(
      fc.property(DIALOGUE, fc.integer({ min: 0, max: 4 }), (dialogue, lookAhead) => {
        const context = open(lookAhead);
        dialogue.forEach(({ speaker, fused }, i) => {
          context.push(`u${i}`, speaker, fused);
          const first = i + 1 - context.memory.window.length;
          expectSame(context.classify(), offline(dialogue.slice(0, i + 1)).slice(first));
          while (context.memory.window.length > lookAhead) context.retire();
        });
      }),
      { numRuns: 25 },
    );
  });

  it('gives after a replacement what it gives when that was known from the start, to the bit.', () => {
    fc.assert(
      fc.property(DIALOGUE, fc.nat(), fc.nat(3), (dialogue, seed, back) => {
        const at = Math.max(0, dialogue.length - 1 - back);
        const fused = Float32Array.from(randomRow(createRandom(seed), 3 * TINY.width));
        const known = dialogue.map((said, i) => (i === at ? { speaker: 'd', fused } : said));
        const revised = open(4, dialogue);
        expect(revised.replace(`u${at}`, 'd', fused)).toBe(true);
        expect(revised.classify()).toEqual(open(4, known).classify());
      }),
      { numRuns: 30 },
    );
  });

  it('refuses to replace what has left the window.', () => {
    const said: Said = { speaker: 'a', fused: new Float32Array(3 * TINY.width) };
    const context = open(2, [said, said, said]);
    const before = context.classify();
    expect(context.replace('u0', 'a', new Float32Array(3 * TINY.width).fill(1))).toBe(false);
    expect(context.classify()).toEqual(before);
  });

  it('gives a speaker a state of its own: others change the dialogue state, not that one.', () => {
    const random = createRandom(2);
    const fused = (): Float32Array => Float32Array.from(randomRow(random, 3 * TINY.width));
    const own = [fused(), fused()];
    const state = (between: Float32Array, speaker: string): { d: Float32Array; s: Float32Array } | undefined => {
      const context = open(8, [
        { speaker: 'a', fused: own[0] },
        { speaker, fused: between },
        { speaker: 'a', fused: own[1] },
      ]);
      const last = context.memory.window[2];
      return last && { d: last.d.h, s: last.s.h };
    };
    const [x, y] = [fused(), fused()];
    expect(state(x, 'b')?.s).toEqual(state(y, 'b')?.s);
    expect(worstDifference(state(x, 'b')?.d ?? [], state(y, 'b')?.d ?? [])).toBeGreaterThan(1e-4);
    expect(worstDifference(state(x, 'a')?.s ?? [], state(y, 'a')?.s ?? [])).toBeGreaterThan(1e-4);
  });

  it('remembers a bounded number of speakers, and forgets the one not heard for longest.', () => {
    const fused = Float32Array.from(randomRow(createRandom(1), 3 * TINY.width));
    const names = Array.from({ length: MAX_SPEAKERS + 10 }, (_, i) => `s${i}`);
    const context = open(
      0,
      ['s0', ...names.slice(1, 20), 's0', ...names.slice(20)].map((speaker) => ({ speaker, fused })),
    );
    expect(context.memory.speakers.size).toBe(MAX_SPEAKERS);
    expect(context.memory.speakers.has('s0')).toBe(true);
    expect(context.memory.speakers.has('s1')).toBe(false);
    expect([...context.memory.speakers.keys()].at(-1)).toBe(names.at(-1));
    context.push('again', 's1', fused);
    context.push('new', 'never heard', fused);
    expect(context.memory.window[0]?.s).toEqual(context.memory.window[1]?.s);
  });

  it('keeps its memory at the size of the window, however long the conversation.', () => {
    const fused = Float32Array.from(randomRow(createRandom(1), 3 * TINY.width));
    const context = open(
      3,
      Array.from({ length: 200 }, (_, i) => ({ speaker: `s${i % 3}`, fused })),
    );
    expect(context.memory.window.length).toBe(3);
    expect(context.memory.speakers.size).toBe(3);
  });

  it('retires nothing from an empty window, and has nothing to classify then.', () => {
    const context = open(2);
    context.retire();
    expect(context.classify()).toEqual([]);
  });

  it('leaves no tensor behind.', () => {
    const said: Said = { speaker: 'a', fused: new Float32Array(3 * TINY.width).fill(0.5) };
    const before = tf.memory().numTensors;
    open(
      3,
      Array.from({ length: 6 }, () => said),
    ).classify();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('wants parameters that are not being trained.', () => {
    const training: Parameters = { ...p, recurrent: () => undefined };
    const context = createIncrementalContext(training, TINY);
    expect(() => context.push('u', 'a', new Float32Array(3 * TINY.width))).toThrow(TypeError);
  });
});
