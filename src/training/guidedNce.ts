import * as tf from '@tensorflow/tfjs-core';
import { gatherRows } from '../model/ops/rows.ts';

/** One view of a batch of utterances: a mode's (or stream's) descriptors `[size, width]`, and where they are real. */
export type View = { readonly rows: tf.Tensor2D; readonly isPresent: (row: number) => boolean };

/** Descriptors of earlier utterances with their labels, by view: negatives beyond the batch. */
export type NegativeBank = {
  /** Unit vectors, row-major, and their labels; at most the capacity. */
  of(view: string): { readonly rows: Float32Array; readonly labels: readonly number[] };
  /** Adds unit vectors of labelled utterances; the oldest go when the bank is full. */
  add(view: string, rows: Float32Array, labels: readonly number[]): void;
  /** Adds vectors that are still being read back; they are there once {@link NegativeBank.settle} has resolved. */
  addLater(view: string, rows: Promise<Float32Array>, labels: readonly number[]): void;
  /** Resolves when everything that was to be added has been, in the order in which it was given. */
  settle(): Promise<void>;
};

/** Makes an empty bank that keeps the last `capacity` descriptors of each view. */
export function createNegativeBank(width: number, capacity: number): NegativeBank {
  const kept = new Map<string, { rows: Float32Array; labels: number[] }>();
  const empty = { rows: new Float32Array(0), labels: [] };
  const add: NegativeBank['add'] = (view, rows, labels) => {
    const old = kept.get(view) ?? empty;
    const all = [...old.labels, ...labels];
    const dropped = Math.max(0, all.length - capacity);
    const joined = new Float32Array(all.length * width);
    joined.set(old.rows);
    joined.set(rows, old.rows.length);
    kept.set(view, { rows: joined.slice(dropped * width), labels: all.slice(dropped) });
  };
  let last: Promise<void> = Promise.resolve();
  return {
    of: (view) => kept.get(view) ?? empty,
    add,
    addLater: (view, rows, labels) => {
      last = Promise.all([rows, last]).then(([read]) => add(view, read, labels));
    },
    settle: () => last,
  };
}

const EXCLUDED = -1e9;

/**
 * Guided NCE: for each ordered pair of views of the same utterance, −log of the softmax of their similarity among the
 * negatives, averaged over pairs and utterances. Guided by labels: only utterances of a different label are negatives (for
 * an unlabelled one, all labelled others). Descriptors are made unit length; similarities are divided by `temperature`.
 * The batch's descriptors then enter the bank, once it has settled. 0 when no utterance has two views.
 * Source: AM²-EmoJE gives the name only; METHOD.md section 6 as we read it. InfoNCE: van den Oord et al. 2018, arXiv 1807.03748.
 */
export function guidedNce(
  views: ReadonlyMap<string, View>,
  labels: readonly (number | undefined)[],
  pairs: readonly (readonly [string, string])[],
  settings: { readonly bank: NegativeBank; readonly temperature: number },
): tf.Scalar {
  const units = new Map([...views].map(([name, view]) => [name, toUnit(view.rows)]));
  const losses: tf.Scalar[] = [];
  let count = 0;
  for (const [a, b] of pairs) {
    const rows = labels.flatMap((_, row) =>
      views.get(a)?.isPresent(row) && views.get(b)?.isPresent(row) ? [row] : [],
    );
    if (rows.length === 0) continue;
    const loss = pairLoss(
      gatherRows(units.get(a) as tf.Tensor2D, Int32Array.from(rows)),
      gatherRows(units.get(b) as tf.Tensor2D, Int32Array.from(rows)),
      rows.map((row) => labels[row]),
      { ...settings.bank.of(b), temperature: settings.temperature },
    );
    losses.push(loss);
    count += rows.length;
  }
  remember(units, views, labels, settings.bank);
  return losses.length > 0 ? tf.div<tf.Scalar>(tf.addN(losses), count) : tf.scalar(0);
}

/** Sum over the rows of one ordered pair. */
function pairLoss(
  anchors: tf.Tensor2D,
  others: tf.Tensor2D,
  labels: readonly (number | undefined)[],
  bank: { readonly rows: Float32Array; readonly labels: readonly number[]; readonly temperature: number },
): tf.Scalar {
  const [size, width] = anchors.shape;
  const inBatch: tf.Tensor2D = tf.matMul(anchors, tf.transpose(others));
  const far = bank.labels.length;
  const all =
    far > 0
      ? tf.concat2d([inBatch, tf.matMul(anchors, tf.transpose<tf.Tensor2D>(tf.tensor2d(bank.rows, [far, width])))], 1)
      : inBatch;
  const mask = new Float32Array(size * (size + far));
  labels.forEach((own, i) => {
    const isNegative = (other: number | undefined): boolean => other !== undefined && other !== own;
    labels.forEach((other, j) => {
      if (i !== j && !isNegative(other)) mask[i * (size + far) + j] = EXCLUDED;
    });
    bank.labels.forEach((other, j) => {
      if (!isNegative(other)) mask[i * (size + far) + size + j] = EXCLUDED;
    });
  });
  const logits = tf.add<tf.Tensor2D>(tf.div<tf.Tensor2D>(all, bank.temperature), tf.tensor2d(mask, [size, size + far]));
  const logP: tf.Tensor2D = tf.logSoftmax(logits);
  return tf.neg<tf.Scalar>(tf.sum(tf.mul(tf.slice2d(logP, [0, 0], [size, size]), tf.eye(size))));
}

function toUnit(x: tf.Tensor2D): tf.Tensor2D {
  return tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-8)));
}

function remember(
  units: ReadonlyMap<string, tf.Tensor2D>,
  views: ReadonlyMap<string, View>,
  labels: readonly (number | undefined)[],
  bank: NegativeBank,
): void {
  for (const [name, unit] of units) {
    const rows = labels.flatMap((label, row) => (label !== undefined && views.get(name)?.isPresent(row) ? [row] : []));
    if (rows.length === 0) continue;
    const kept = tf.keep(gatherRows(unit, Int32Array.from(rows)));
    const vectors = kept.data<'float32'>().finally(() => kept.dispose());
    bank.addLater(
      name,
      vectors,
      rows.map((row) => labels[row] as number),
    );
  }
}
