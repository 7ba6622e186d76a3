import * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { RowSequences } from '../ops/ragged.ts';
import type { Kernels } from './kernels.ts';

/** Sequences turned by step: the rows read first, then those read second …, longest sequence first. */
export type Steps = { readonly order: Int32Array; readonly counts: Int32Array };

/** Turns sequences by step. */
export function toSteps(sequences: RowSequences): Steps {
  const sorted = [...sequences].sort((a, b) => b.length - a.length);
  const counts = new Int32Array(sorted[0]?.length ?? 0);
  for (const sequence of sorted) for (let t = 0; t < sequence.length; t++) counts[t] = (counts[t] as number) + 1;
  const order = new Int32Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  counts.forEach((count, t) => {
    for (let s = 0; s < count; s++) order[at++] = sorted[s]?.[t] as number;
  });
  return { order, counts };
}

/**
 * `lstm` of ops/lstm.ts on the kernels, for one or more directions side by side: gates `[rows, directions · 4 · hidden]` →
 * `[rows, directions · hidden]`. All sequences take a step together. `hidden` must be a multiple of 4.
 */
export function lstmKernel(
  k: Kernels,
  gates: tf.Tensor2D,
  recurrent: readonly tf.Tensor2D[],
  sequences: readonly RowSequences[],
): tf.Tensor2D {
  const hidden = recurrent[0]?.shape[0] ?? 0;
  const rows = gates.shape[0];
  const steps = sequences.map(toSteps);
  return hostOp([gates, ...recurrent], (keep) => {
    const active = k.make<tf.Rank.R2>([rows, gates.shape[1]]);
    const cells = k.make<tf.Rank.R2>([rows, recurrent.length * hidden]);
    const value = tf.zeros<tf.Rank.R2>(cells.shape);
    recurrent.forEach((w, d) => forward(k, { gates, active, cells, value, w, hidden, d }, steps[d] as Steps));
    keep([active, cells, value, ...recurrent]);
    if (!tf.engine().isTapeOn()) tf.dispose([active, cells]);
    return {
      value,
      gradFunc: (dy, [active, cells, value, ...recurrent]) => {
        const dz = tf.zeros<tf.Rank.R2>(gates.shape);
        const dw = recurrent.map((w, d) =>
          backward(k, { dy, active, cells, value, w, hidden, d, dz } as BackwardPass, steps[d] as Steps),
        );
        return [dz, ...dw];
      },
    };
  });
}

type Pass = {
  readonly active: tf.Tensor2D;
  readonly cells: tf.Tensor2D;
  readonly value: tf.Tensor2D;
  readonly w: tf.Tensor2D;
  readonly hidden: number;
  /** Which direction. */
  readonly d: number;
};

function forward(k: Kernels, pass: Pass & { readonly gates: tf.Tensor2D }, { order, counts }: Steps): void {
  const { gates, active, cells, value, w, hidden, d } = pass;
  const [gateBytes, bytes] = [16 * hidden * d, 4 * hidden * d];
  k.lend([order, counts, 16 * hidden * hidden], (orderAt, countsAt, panels) =>
    k.run.lstmForward(
      k.at(gates) + gateBytes,
      k.at(active) + gateBytes,
      4 * gates.shape[1],
      k.at(cells) + bytes,
      k.at(value) + bytes,
      4 * cells.shape[1],
      k.at(w),
      orderAt,
      countsAt,
      counts.length,
      hidden,
      panels,
    ),
  );
}

const ADD = 1;

/**
 * `lstmStep` of ops/lstm.ts on the kernels: the next hidden and cell state. `w`: recurrent weights `[hidden, 4 · hidden]`;
 * `hidden` must be a multiple of 4.
 */
export function lstmStepKernel(
  k: Kernels,
  gates: Float32Array,
  w: tf.Tensor2D,
  before: { readonly h: Float32Array; readonly c: Float32Array },
): { readonly h: Float32Array; readonly c: Float32Array } {
  const hidden = w.shape[0];
  const row = 16 * hidden;
  const next = { h: before.h, c: before.c };
  k.lend([gates, before.h, before.c, 8 * hidden], (z, h, c, to) => {
    k.run.gemm(z, row, h, 4 * hidden, 4, k.at(w), row, 4, 1, hidden, 4 * hidden, ADD, 0, 0);
    k.run.activate(z, c, to, to + 4 * hidden, hidden);
    next.c = k.read(to, hidden);
    next.h = k.read(to + 4 * hidden, hidden);
  });
  return next;
}

type BackwardPass = Pass & { readonly dy: tf.Tensor; readonly dz: tf.Tensor2D };

/** Fills this direction's part of `dz` and returns the gradient of its weights. */
function backward(k: Kernels, pass: BackwardPass, { order, counts }: Steps): tf.Tensor2D {
  const { dy, active, cells, value, w, hidden, d, dz } = pass;
  const rows = active.shape[0];
  const [gateBytes, bytes] = [16 * hidden * d, 4 * hidden * d];
  const scratch = 16 * hidden * (hidden + 4) + 4 * hidden * (2 * (counts[0] ?? 0) + rows) + 16_384;
  const dw = k.make<tf.Rank.R2>(w.shape);
  k.lend([order, counts, scratch], (orderAt, countsAt, scratchAt) =>
    k.run.lstmBackward(
      k.at(dy) + bytes,
      k.at(active) + gateBytes,
      4 * active.shape[1],
      k.at(cells) + bytes,
      k.at(value) + bytes,
      4 * cells.shape[1],
      k.at(w),
      orderAt,
      countsAt,
      counts.length,
      hidden,
      rows,
      k.at(dz) + gateBytes,
      k.at(dw),
      scratchAt,
    ),
  );
  return dw;
}
