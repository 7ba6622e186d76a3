import * as tf from '@tensorflow/tfjs-core';
import type { RowSequences } from '../ragged.ts';
import { tensorGatherRows } from './rows.ts';

/**
 * Runs an LSTM over sequences of packed rows like `lstm`, out of tensor operations: one step takes every sequence that is
 * that long. Sequences are ordered by length, so that those still running are always the first rows of the state.
 * `gates` `[rows, 4 · hidden]` and `recurrent` `[hidden, 4 · hidden]` → `[rows, hidden]`; rows of no sequence give zeros.
 */
export function tensorLstm(gates: tf.Tensor2D, recurrent: tf.Tensor2D, sequences: RowSequences): tf.Tensor2D {
  const hidden = recurrent.shape[0];
  const rows = gates.shape[0];
  const plan = planSteps(sequences, rows);
  if (plan.sizes.length === 0) return tf.zeros([rows, hidden]);
  const inputs: tf.Tensor2D[] = tf.split(tensorGatherRows(gates, plan.order), plan.sizes, 0);
  const outputs: tf.Tensor2D[] = [];
  let state: State | undefined;
  for (const input of inputs) {
    state = step(input, recurrent, state);
    outputs.push(state.h);
  }
  return tensorGatherRows(tf.concat2d(outputs, 0), plan.places);
}

type State = { readonly h: tf.Tensor2D; readonly c: tf.Tensor2D };

function step(input: tf.Tensor2D, recurrent: tf.Tensor2D, before: State | undefined): State {
  const count = input.shape[0];
  const previous = before && { h: first(before.h, count), c: first(before.c, count) };
  const z = previous ? tf.add<tf.Tensor2D>(input, tf.matMul(previous.h, recurrent)) : input;
  const [i, f, o, g] = tf.split(z, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  const added = tf.mul<tf.Tensor2D>(tf.sigmoid(i), tf.tanh(g));
  const c = previous ? tf.add<tf.Tensor2D>(tf.mul(tf.sigmoid(f), previous.c), added) : added;
  return { h: tf.mul(tf.sigmoid(o), tf.tanh(c)), c };
}

function first(x: tf.Tensor2D, count: number): tf.Tensor2D {
  return x.shape[0] === count ? x : tf.slice2d(x, [0, 0], [count, x.shape[1]]);
}

/** Rows in order of steps, how many sequences each step has, and where each row's result stands (-1 = nowhere). */
type Plan = { readonly order: Int32Array; readonly sizes: number[]; readonly places: Int32Array };

function planSteps(sequences: RowSequences, rows: number): Plan {
  const byLength = sequences.filter((s) => s.length > 0).sort((a, b) => b.length - a.length);
  const order: number[] = [];
  const sizes: number[] = [];
  for (let t = 0; t < (byLength[0]?.length ?? 0); t++) {
    const running = byLength.filter((sequence) => sequence.length > t);
    sizes.push(running.length);
    for (const sequence of running) order.push(sequence[t] as number);
  }
  const places = new Int32Array(rows).fill(-1);
  order.forEach((row, place) => (places[row] = place));
  return { order: Int32Array.from(order), sizes, places };
}
