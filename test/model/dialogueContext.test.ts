import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import {
  classifyDialogues,
  type DialogueRows,
  type FutureCut,
  NO_FUTURE,
  toSequences,
  WHOLE_FUTURE,
} from '../../src/model/dialogueContext.ts';
import type { PassOptions } from '../../src/model/fusion.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom, shuffle } from '../../src/model/random.ts';
import { expectClose, randomRow, TINY, tinyParameters, worstDifference } from '../support/tinyModel.ts';

let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  p = tinyParameters();
});
afterAll(() => p.dispose());

const WIDTH = 3 * TINY.width;
type Rows = readonly (readonly number[])[];

/** Logits per row. */
function logitsOf(
  fused: Rows,
  dialogues: readonly DialogueRows[],
  cut: FutureCut = WHOLE_FUTURE,
  options: PassOptions = {},
): number[][] {
  const flat = tf.tidy(() =>
    hostOf(classifyDialogues(p, tf.tensor2d(fused.flat(), [fused.length, WIDTH]), dialogues, cut, options)),
  );
  const n = TINY.labels.length;
  return fused.map((_, i) => [...flat.slice(i * n, (i + 1) * n)]);
}

const whole = (speakers: readonly string[]): DialogueRows => ({ rows: speakers.map((_, i) => i), speakers });
const randomRows = (seed: number, count: number): number[][] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => randomRow(random, WIDTH));
};
const SPEAKERS = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 10 });

describe('toSequences', () => {
  it('reads a dialogue forward and backward, and each speaker apart.', () => {
    const streams = toSequences([{ rows: [4, 5, 6, 7], speakers: ['a', 'b', 'a', 'b'] }], WHOLE_FUTURE);
    expect(streams).toEqual({
      dialogue: [[4, 5, 6, 7]],
      dialogueBack: [[7, 6, 5, 4]],
      speaker: [
        [4, 6],
        [5, 7],
      ],
      speakerBack: [
        [6, 4],
        [7, 5],
      ],
    });
  });

  it('cuts the backward streams, of speakers too, and never the forward ones.', () => {
    const streams = toSequences([whole(['a', 'a', 'b', 'a'])], () => [2, 2]);
    expect(streams.dialogue).toEqual([[0, 1, 2, 3]]);
    expect(streams.speaker).toEqual([[0, 1, 3], [2]]);
    expect(streams.dialogueBack).toEqual([
      [1, 0],
      [3, 2],
    ]);
    expect(streams.speakerBack).toEqual([[1, 0], [2], [3]]);
  });

  it('keeps speakers of one name in two dialogues apart.', () => {
    const dialogues = [
      { rows: [0, 1], speakers: ['a', 'a'] },
      { rows: [2], speakers: ['a'] },
    ];
    expect(toSequences(dialogues, WHOLE_FUTURE).speaker).toEqual([[0, 1], [2]]);
  });
});

describe('classifyDialogues', () => {
  it('classifies a dialogue in a batch as it classifies it alone, within 1e-5.', () => {
    fc.assert(
      fc.property(SPEAKERS, SPEAKERS, fc.nat(), (one, two, seed) => {
        const fused = randomRows(seed, one.length + two.length);
        const second = { rows: two.map((_, i) => one.length + i), speakers: two };
        const together = logitsOf(fused, [whole(one), second]);
        const apart = [
          ...logitsOf(fused.slice(0, one.length), [whole(one)]),
          ...logitsOf(fused.slice(one.length), [whole(two)]),
        ];
        expectClose(together.flat(), apart.flat(), 1e-5);
      }),
      { numRuns: 25 },
    );
  });

  it('sees no future when it is cut: what comes later changes nothing, what came before does.', () => {
    const fused = randomRows(3, 4);
    const changed = [...fused.slice(0, 3), ...randomRows(99, 1)];
    const speakers = whole(['a', 'b', 'a', 'b']);
    expect(logitsOf(changed, [speakers], NO_FUTURE).slice(0, 3)).toEqual(
      logitsOf(fused, [speakers], NO_FUTURE).slice(0, 3),
    );
    expect(logitsOf(changed, [speakers]).slice(0, 3)).not.toEqual(logitsOf(fused, [speakers]).slice(0, 3));
    const past = [...randomRows(99, 1), ...fused.slice(1)];
    const last = (rows: Rows): number[] => logitsOf(rows, [speakers], NO_FUTURE)[3] ?? [];
    expect(worstDifference(last(past), last(fused))).toBeGreaterThan(1e-5);
  });

  it('hears of a speaker only what that speaker said: shuffling the others leaves the speaker stream unchanged.', () => {
    const withoutDialogue: PassOptions = { without: new Set(['dialogue']) };
    fc.assert(
      fc.property(SPEAKERS, fc.nat(), (speakers, seed) => {
        const fused = randomRows(seed, speakers.length);
        const others = speakers.flatMap((speaker, i) => (speaker === 'a' ? [] : [i]));
        const moved = shuffle([...others], createRandom(seed + 1));
        const order = speakers.map((_, i) => moved[others.indexOf(i)] ?? i);
        const shuffled = order.map((from) => fused[from] ?? []);
        const names = order.map((from) => speakers[from] ?? '');
        const before = logitsOf(fused, [whole(speakers)], WHOLE_FUTURE, withoutDialogue);
        const after = logitsOf(shuffled, [whole(names)], WHOLE_FUTURE, withoutDialogue);
        speakers.forEach((speaker, i) => {
          if (speaker === 'a') expect(after[i]).toEqual(before[i]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('hears the order in which a speaker said things: shuffling the same speaker changes the speaker stream.', () => {
    const fused = randomRows(5, 5);
    const speakers = whole(['a', 'b', 'a', 'b', 'a']);
    const [u0, u1, u2, u3, u4] = fused as [number[], number[], number[], number[], number[]];
    const options: PassOptions = { without: new Set(['dialogue']) };
    const last = (rows: Rows): number[] => logitsOf(rows, [speakers], WHOLE_FUTURE, options)[4] ?? [];
    expect(worstDifference(last([u2, u1, u0, u3, u4]), last(fused))).toBeGreaterThan(1e-4);
    expect(last([u0, u3, u2, u1, u4])).toEqual(last(fused));
  });

  it('does not look at names, only at who is the same.', () => {
    const fused = randomRows(6, 4);
    expect(logitsOf(fused, [whole(['x', 'y', 'x', '__proto__'])])).toEqual(
      logitsOf(fused, [whole(['1', '2', '1', '3'])]),
    );
  });

  it('uses both streams: switching either off changes the logits.', () => {
    const fused = randomRows(7, 3);
    const all = logitsOf(fused, [whole(['a', 'b', 'a'])]).flat();
    for (const part of ['dialogue', 'speaker'] as const) {
      const less = logitsOf(fused, [whole(['a', 'b', 'a'])], WHOLE_FUTURE, { without: new Set([part]) }).flat();
      expect(worstDifference(less, all)).toBeGreaterThan(1e-3);
    }
  });
});
