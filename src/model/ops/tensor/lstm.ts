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
  const gathered = tensorGatherRows(gates, plan.order);
  const inputs: tf.Tensor2D[] = plan.sizes.length === 1 ? [gathered] : tf.split(gathered, plan.sizes, 0);
  const start: tf.Tensor2D = tf.zeros([plan.sizes[0] ?? 0, hidden]);
  let state: State = { h: start, c: start };
  const outputs = inputs.map((input) => {
    state = step(input, recurrent, state);
    return state.h;
  });
  return tensorGatherRows(tf.concat2d(outputs, 0), plan.places);
}

type State = { readonly h: tf.Tensor2D; readonly c: tf.Tensor2D };

/** One step of the sequences that are still running, which are the first of the state. */
function step(input: tf.Tensor2D, recurrent: tf.Tensor2D, before: State): State {
  const count = input.shape[0];
  const z = tf.add<tf.Tensor2D>(input, tf.matMul(first(before.h, count), recurrent));
  const [i, f, o, g] = tf.split(z, 4, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  const kept = tf.mul(tf.sigmoid(f), first(before.c, count));
  const c = tf.add<tf.Tensor2D>(kept, tf.mul(tf.sigmoid(i), tf.tanh(g)));
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
