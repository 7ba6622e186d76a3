import * as tf from '@tensorflow/tfjs-core';
import { kernels } from '../kernels/kernels.ts';
import { lstmKernel, lstmStepKernel } from '../kernels/lstm.ts';
import { hostOp, isHostReadable } from './hostOp.ts';
import type { RowSequences } from './ragged.ts';
import { hostOf } from './rows.ts';
import { tensorLstm } from './tensor/lstm.ts';

export type { RowSequences };

/** Hidden and cell state of one LSTM, each of length `hidden`. */
export type LstmState = { readonly h: Float32Array; readonly c: Float32Array };

/**
 * Recurrent weights as the host loop reads them: transposed to `[4 · hidden, hidden]`, so that it walks neighbours; and, for
 * the kernels, the tensor that they are in.
 */
export type RecurrentWeights = {
  readonly hidden: number;
  readonly transposed: Float32Array;
  readonly tensor?: tf.Tensor2D;
};

/** Prepares recurrent weights `[hidden, 4 · hidden]`. Any `hidden` will do. */
export function prepareRecurrent(recurrent: Float32Array, hidden: number): RecurrentWeights {
  const size = 4 * hidden;
  const transposed = new Float32Array(recurrent.length);
  for (let j = 0; j < hidden; j++)
    for (let k = 0; k < size; k++) transposed[k * hidden + j] = recurrent[j * size + k] as number;
  return { hidden, transposed };
}

/**
 * Runs an LSTM over sequences of packed rows from a zero state: `gates` `[rows, 4 · hidden]` (the input projection with
 * bias, gates in the order input, forget, output, candidate) and `recurrent` `[hidden, 4 · hidden]` → `[rows, hidden]`.
 * Rows of no sequence give zeros. Direction, speaker streams and cuts of the future are all expressed by `sequences`.
 * Backpropagation through time is written by hand: one host kernel each way, in place of some thirty tensor operations
 * a step. Source: Hochreiter & Schmidhuber 1997 with forget gate (Gers et al. 2000); no peepholes.
 * @param prepared the same recurrent weights prepared beforehand, for weights that do not change
 */
export function lstm(
  gates: tf.Tensor2D,
  recurrent: tf.Tensor2D,
  sequences: RowSequences,
  prepared?: RecurrentWeights,
): tf.Tensor2D {
  if (!isHostReadable()) return tensorLstm(gates, recurrent, sequences);
  const hidden = recurrent.shape[0];
  const rows = gates.shape[0];
  const k = rows > 0 && hidden % 4 === 0 ? kernels() : undefined;
  if (k) return lstmKernel(k, gates, [recurrent], [sequences]);
  return hostOp([gates, recurrent], () => {
    const run = createRun(hostOf(gates), prepared ?? prepareRecurrent(hostOf(recurrent), hidden), rows);
    for (const sequence of sequences) forwardSequence(run, sequence);
    return {
      value: tf.tensor2d(run.h, [rows, hidden]),
      gradFunc: (dy: tf.Tensor) => {
        const { dz, dw } = backwardAll(run, hostOf(dy), sequences);
        return [tf.tensor2d(dz, gates.shape), tf.tensor2d(dw, recurrent.shape)];
      },
    };
  });
}

/** One direction of {@link bilstm}: its recurrent weights and the sequences that it reads. */
export type Direction = {
  readonly recurrent: tf.Tensor2D;
  readonly sequences: RowSequences;
  readonly prepared?: RecurrentWeights | undefined;
};

/** Two LSTMs side by side: gates `[rows, 2 · 4 · hidden]` → `[rows, 2 · hidden]`, the first direction's beside the other's. */
export function bilstm(gates: tf.Tensor2D, directions: readonly [Direction, Direction]): tf.Tensor2D {
  const [rows, width] = gates.shape;
  const k = rows > 0 && width % 32 === 0 ? kernels() : undefined;
  if (k)
    return lstmKernel(
      k,
      gates,
      directions.map(({ recurrent }) => recurrent),
      directions.map(({ sequences }) => sequences),
    );
  const parts = directions.map(({ recurrent, sequences, prepared }, d) =>
    lstm(tf.slice2d(gates, [0, (d * width) / 2], [rows, width / 2]), recurrent, sequences, prepared),
  );
  return tf.concat2d(parts, 1);
}

/** One step on the host: `gates` of length `4 · hidden` and the previous state → the next state. */
export function lstmStep(gates: Float32Array, recurrent: RecurrentWeights, state: LstmState): LstmState {
  const k = recurrent.tensor && recurrent.hidden % 4 === 0 ? kernels() : undefined;
  if (k && recurrent.tensor) return lstmStepKernel(k, gates, recurrent.tensor, state);
  const run = createRun(gates, recurrent, 1);
  stepRow(run, 0, state.h, 0, state.c, 0);
  return { h: run.h, c: run.c };
}

type Run = {
  readonly hidden: number;
  readonly transposed: Float32Array;
  readonly gates: Float32Array;
  /** Gate activations `[rows, 4 · hidden]`. */
  readonly active: Float32Array;
  readonly h: Float32Array;
  readonly c: Float32Array;
  readonly rows: number;
};

function createRun(gates: Float32Array, recurrent: RecurrentWeights, rows: number): Run {
  const { hidden, transposed } = recurrent;
  return {
    hidden,
    transposed,
    gates,
    rows,
    active: new Float32Array(rows * 4 * hidden),
    h: new Float32Array(rows * hidden),
    c: new Float32Array(rows * hidden),
  };
}

function forwardSequence(run: Run, sequence: readonly number[] | Int32Array): void {
  const zero = new Float32Array(run.hidden);
  let previous = -1;
  for (const row of sequence) {
    if (previous < 0) stepRow(run, row, zero, 0, zero, 0);
    else stepRow(run, row, run.h, previous * run.hidden, run.c, previous * run.hidden);
    previous = row;
  }
}

function stepRow(run: Run, row: number, h: Float32Array, hAt: number, c: Float32Array, cAt: number): void {
  const { hidden, gates, active, transposed } = run;
  const at = row * 4 * hidden;
  // Four rows at a time, so that each value of h is loaded once for four products; 4 · hidden is a multiple of 4.
  for (let k = 0; k < 4 * hidden; k += 4) {
    const w0 = k * hidden;
    const w1 = w0 + hidden;
    const w2 = w1 + hidden;
    const w3 = w2 + hidden;
    let s0 = gates[at + k] as number;
    let s1 = gates[at + k + 1] as number;
    let s2 = gates[at + k + 2] as number;
    let s3 = gates[at + k + 3] as number;
    for (let j = 0; j < hidden; j++) {
      const x = h[hAt + j] as number;
      s0 += (transposed[w0 + j] as number) * x;
      s1 += (transposed[w1 + j] as number) * x;
      s2 += (transposed[w2 + j] as number) * x;
      s3 += (transposed[w3 + j] as number) * x;
    }
    active[at + k] = s0;
    active[at + k + 1] = s1;
    active[at + k + 2] = s2;
    active[at + k + 3] = s3;
  }
  for (let k = at; k < at + 3 * hidden; k++) active[k] = 1 / (1 + Math.exp(-(active[k] as number)));
  for (let k = at + 3 * hidden; k < at + 4 * hidden; k++) active[k] = Math.tanh(active[k] as number);
  for (let k = 0; k < hidden; k++) {
    const next =
      (active[at + hidden + k] as number) * (c[cAt + k] as number) +
      (active[at + k] as number) * (active[at + 3 * hidden + k] as number);
    run.c[row * hidden + k] = next;
    run.h[row * hidden + k] = (active[at + 2 * hidden + k] as number) * Math.tanh(next);
  }
}

function backwardAll(run: Run, dy: Float32Array, sequences: RowSequences): { dz: Float32Array; dw: Float32Array } {
  const { hidden } = run;
  const dz = new Float32Array(run.rows * 4 * hidden);
  const dw = new Float32Array(hidden * 4 * hidden);
  for (const sequence of sequences) {
    let dh = new Float32Array(hidden);
    const dc = new Float32Array(hidden);
    for (let t = sequence.length - 1; t >= 0; t--) {
      const row = sequence[t] as number;
      const previous = t > 0 ? (sequence[t - 1] as number) : -1;
      backwardGates(run, dy, { row, previous, dh, dc, dz });
      dh = backwardRecurrent(run, { row, previous, dz, dw });
    }
  }
  return { dz, dw };
}

type GateStep = { row: number; previous: number; dh: Float32Array; dc: Float32Array; dz: Float32Array };

function backwardGates(run: Run, dy: Float32Array, step: GateStep): void {
  const { hidden, active, c } = run;
  const { row, previous, dh, dc, dz } = step;
  const at = row * 4 * hidden;
  for (let k = 0; k < hidden; k++) {
    const i = active[at + k] as number;
    const f = active[at + hidden + k] as number;
    const o = active[at + 2 * hidden + k] as number;
    const g = active[at + 3 * hidden + k] as number;
    const tc = Math.tanh(c[row * hidden + k] as number);
    const before = previous >= 0 ? (c[previous * hidden + k] as number) : 0;
    const d = (dy[row * hidden + k] as number) + (dh[k] as number);
    const dCell = (dc[k] as number) + d * o * (1 - tc * tc);
    dz[at + k] = dCell * g * i * (1 - i);
    dz[at + hidden + k] = dCell * before * f * (1 - f);
    dz[at + 2 * hidden + k] = d * tc * o * (1 - o);
    dz[at + 3 * hidden + k] = dCell * i * (1 - g * g);
    dc[k] = dCell * f;
  }
}

type RecurrentStep = { row: number; previous: number; dz: Float32Array; dw: Float32Array };

function backwardRecurrent(run: Run, step: RecurrentStep): Float32Array<ArrayBuffer> {
  const { hidden, transposed, h } = run;
  const { row, previous, dz, dw } = step;
  const size = 4 * hidden;
  const dh = new Float32Array(hidden);
  if (previous < 0) return dh;
  for (let k = 0; k < size; k++) {
    const d = dz[row * size + k] as number;
    if (d === 0) continue;
    const w = k * hidden;
    for (let j = 0; j < hidden; j++) dh[j] = (dh[j] as number) + d * (transposed[w + j] as number);
  }
  for (let j = 0; j < hidden; j++) {
    const hj = h[previous * hidden + j] as number;
    for (let k = 0; k < size; k++)
      dw[j * size + k] = (dw[j * size + k] as number) + hj * (dz[row * size + k] as number);
  }
  return dh;
}
