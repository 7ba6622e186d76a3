import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { installGradients } from '../../../src/model/ops/gradients.ts';
import { lstm, type LstmState, lstmStep, prepareRecurrent } from '../../../src/model/ops/lstm.ts';
import { hostOf } from '../../../src/model/ops/rows.ts';
import { createRandom, type Random, shuffle } from '../../../src/model/random.ts';
import { centralDifferences, dot, expectClose, gradientsOf, randomRow } from '../../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

const HIDDEN = 3; // no multiple of what the kernel unrolls
const GATES = 4 * HIDDEN;

type Case = { readonly rows: number; readonly gates: number[]; readonly recurrent: number[]; sequences: number[][] };

/** Some rows in random order, dealt to a few sequences; about a third belong to none. */
function randomCase(random: Random, rows: number): Case {
  const sequences: number[][] = [[], [], []];
  for (const row of shuffle([...Array(rows).keys()], random)) sequences[Math.floor(random() * 4.5)]?.push(row);
  return { rows, gates: randomRow(random, rows * GATES), recurrent: randomRow(random, HIDDEN * GATES), sequences };
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** The equations of the LSTM, one number after the other, in double precision. */
function slowLstm({ rows, gates, recurrent, sequences }: Case): number[] {
  const out = new Array<number>(rows * HIDDEN).fill(0);
  for (const sequence of sequences) {
    let h = new Array<number>(HIDDEN).fill(0);
    let c = new Array<number>(HIDDEN).fill(0);
    for (const row of sequence) {
      const before = h;
      const z = Array.from({ length: GATES }, (_, k) =>
        before.reduce((sum, hj, j) => sum + hj * (recurrent[j * GATES + k] ?? NaN), gates[row * GATES + k] ?? NaN),
      );
      const gate = (which: number, k: number): number => z[which * HIDDEN + k] ?? NaN;
      c = c.map((cell, k) => sigmoid(gate(1, k)) * cell + sigmoid(gate(0, k)) * Math.tanh(gate(3, k)));
      h = c.map((cell, k) => sigmoid(gate(2, k)) * Math.tanh(cell));
      h.forEach((value, k) => (out[row * HIDDEN + k] = value));
    }
  }
  return out;
}

function run({ rows, gates, recurrent, sequences }: Case): Float32Array {
  return tf.tidy(() => hostOf(lstm(tf.tensor2d(gates, [rows, GATES]), weights(recurrent), sequences)));
}

const weights = (recurrent: number[]): tf.Tensor2D => tf.tensor2d(recurrent, [HIDDEN, GATES]);

const CASE = fc
  .record({ seed: fc.nat(), rows: fc.integer({ min: 1, max: 9 }) })
  .map(({ seed, rows }) => randomCase(createRandom(seed), rows));

describe('lstm', () => {
  it('equals the equations in double precision within 1e-5, for any sequences over the rows.', () => {
    fc.assert(
      fc.property(CASE, (given) => expectClose(run(given), slowLstm(given), 1e-5)),
      { numRuns: 60 },
    );
  });

  it('gives zeros for rows of no sequence, and no gradient to them.', () => {
    const given = { ...randomCase(createRandom(7), 5), sequences: [[3, 1]] };
    const h = run(given);
    for (const row of [0, 2, 4])
      expect([...h.slice(row * HIDDEN, (row + 1) * HIDDEN)]).toEqual(new Array(HIDDEN).fill(0));
    const inputs = [tf.tensor2d(given.gates, [5, GATES]), weights(given.recurrent)];
    const dy = new Array<number>(5 * HIDDEN).fill(1);
    const [dGates] = gradientsOf((gates, w) => lstm(gates, w, given.sequences), inputs, dy);
    tf.dispose(inputs);
    const touched = Array.from({ length: 5 }, (_, row) =>
      (dGates ?? []).slice(row * GATES, (row + 1) * GATES).some((value) => value !== 0),
    );
    expect(touched).toEqual([false, true, false, true, false]);
  });

  it('has the gradients that central differences of the equations have, within 1e-4, for gates and weights.', () => {
    fc.assert(
      fc.property(CASE, fc.nat(), (given, seed) => {
        const dy = randomRow(createRandom(seed), given.rows * HIDDEN);
        const inputs = [tf.tensor2d(given.gates, [given.rows, GATES]), weights(given.recurrent)];
        const [dGates, dRecurrent] = gradientsOf((gates, w) => lstm(gates, w, given.sequences), inputs, dy);
        tf.dispose(inputs);
        const atGates = centralDifferences((gates) => dot(slowLstm({ ...given, gates }), dy), given.gates);
        expectClose(dGates ?? [], atGates, 1e-4);
        const atWeights = centralDifferences(
          (recurrent) => dot(slowLstm({ ...given, recurrent }), dy),
          given.recurrent,
        );
        expectClose(dRecurrent ?? [], atWeights, 1e-4);
      }),
      { numRuns: 12 },
    );
  });

  it('answers the same when rows are renumbered, because only the reading order counts.', () => {
    fc.assert(
      fc.property(CASE, fc.nat(), (given, seed) => {
        const to = shuffle([...Array(given.rows).keys()], createRandom(seed));
        const gates = new Array<number>(given.gates.length);
        given.gates.forEach((value, i) => (gates[(to[Math.floor(i / GATES)] ?? 0) * GATES + (i % GATES)] = value));
        const moved = run({ ...given, gates, sequences: given.sequences.map((s) => s.map((row) => to[row] ?? 0)) });
        const h = run(given);
        to.forEach((target, row) =>
          expect([...moved.slice(target * HIDDEN, (target + 1) * HIDDEN)]).toEqual([
            ...h.slice(row * HIDDEN, (row + 1) * HIDDEN),
          ]),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('reads recurrent weights prepared beforehand as it reads the tensor.', () => {
    const given = randomCase(createRandom(11), 6);
    const prepared = prepareRecurrent(Float32Array.from(given.recurrent), HIDDEN);
    const h = tf.tidy(() =>
      hostOf(lstm(tf.tensor2d(given.gates, [6, GATES]), tf.zeros([HIDDEN, GATES]), given.sequences, prepared)),
    );
    expect([...h]).toEqual([...run(given)]);
  });

  it('takes typed arrays as sequences.', () => {
    const given = { ...randomCase(createRandom(3), 3), sequences: [[2, 0, 1]] };
    const typed = tf.tidy(() =>
      hostOf(lstm(tf.tensor2d(given.gates, [3, GATES]), weights(given.recurrent), [Int32Array.of(2, 0, 1)])),
    );
    expect([...typed]).toEqual([...run(given)]);
  });
});

describe('lstmStep', () => {
  it('walks through a sequence to the same states, bit by bit, as lstm does.', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 8 }), (seed, rows) => {
        const given = { ...randomCase(createRandom(seed), rows), sequences: [[...Array(rows).keys()]] };
        const prepared = prepareRecurrent(Float32Array.from(given.recurrent), HIDDEN);
        const h = run(given);
        let state: LstmState = { h: new Float32Array(HIDDEN), c: new Float32Array(HIDDEN) };
        for (let row = 0; row < rows; row++) {
          const gates = Float32Array.from(given.gates.slice(row * GATES, (row + 1) * GATES));
          state = lstmStep(gates, prepared, state);
          expect([...state.h]).toEqual([...h.slice(row * HIDDEN, (row + 1) * HIDDEN)]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('leaves the previous state as it was, so that a saved one can be walked on from twice.', () => {
    const prepared = prepareRecurrent(Float32Array.from(randomRow(createRandom(1), HIDDEN * GATES)), HIDDEN);
    const state = { h: Float32Array.of(0.1, 0.2, 0.3), c: Float32Array.of(1, 2, 3) };
    const gates = Float32Array.from(randomRow(createRandom(2), GATES));
    const first = lstmStep(gates, prepared, state);
    expect([...state.c]).toEqual([1, 2, 3]);
    expect(lstmStep(gates, prepared, state)).toEqual(first);
  });
});
