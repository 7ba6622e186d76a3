import type * as tf from '@tensorflow/tfjs-core';
import { hostOp } from '../ops/hostOp.ts';
import type { Kernels } from './kernels.ts';

/** Scratch of a matrix product: 512 rows of a panel of eight columns. */
const PANEL_BYTES = 512 * 8 * 4;
const RELU = 2;

/** {@link affine} of ops/affine.ts on the kernels: `x · w (+ bias)`, cut at zero for `relu`; any shapes. */
export function affineKernel(
  k: Kernels,
  x: tf.Tensor2D,
  w: tf.Tensor2D,
  bias: tf.Tensor | undefined,
  isRelu: boolean,
): tf.Tensor2D {
  const [rows, inner] = x.shape;
  const columns = w.shape[1];
  return hostOp([x, w, ...(bias ? [bias] : [])], (keep) => {
    const value = k.make<tf.Rank.R2>([rows, columns]);
    const a = { at: k.at(x), row: 4 * inner, step: 4 };
    const b = { at: k.at(w), row: 4 * columns, step: 4 };
    multiply(k, value, a, b, [rows, inner, columns], { relu: isRelu, bias: bias ? k.at(bias) : 0 });
    keep(isRelu ? [x, w, value] : [x, w]);
    return {
      value,
      gradFunc: (dy, [x, w, y]) => backward(k, { dy, x, w, y, isBiased: bias !== undefined } as Saved),
    };
  });
}

type Saved = { dy: tf.Tensor2D; x: tf.Tensor2D; w: tf.Tensor2D; y: tf.Tensor2D | undefined; isBiased: boolean };

function backward(k: Kernels, { dy, x, w, y, isBiased }: Saved): tf.Tensor[] {
  const [rows, inner] = x.shape;
  const columns = w.shape[1];
  const d = y ? k.make<tf.Rank.R2>([rows, columns]) : dy;
  if (y) k.run.reluGradient(k.at(d), k.at(dy), k.at(y), d.size);
  const dx = k.make<tf.Rank.R2>([rows, inner]);
  const dw = k.make<tf.Rank.R2>([inner, columns]);
  const outer = { at: k.at(d), row: 4 * columns, step: 4 };
  multiply(k, dx, outer, { at: k.at(w), row: 4, step: 4 * columns }, [rows, columns, inner]);
  multiply(k, dw, { at: k.at(x), row: 4, step: 4 * inner }, outer, [inner, rows, columns]);
  const db = isBiased ? k.make<tf.Rank.R1>([columns]) : undefined;
  if (db) k.run.sumRows(k.at(db), k.at(d), rows, columns);
  if (y) d.dispose();
  return db ? [dx, dw, db] : [dx, dw];
}

/** An operand: where it begins and how many bytes its rows and its columns are apart. */
type Operand = { readonly at: number; readonly row: number; readonly step: number };

/** to = a · b for `[m, k, n]`; a transposed operand is one with row and step exchanged. */
function multiply(
  kernels: Kernels,
  to: tf.Tensor2D,
  a: Operand,
  b: Operand,
  [m, k, n]: readonly [number, number, number],
  { relu = false, bias = 0 }: { readonly relu?: boolean; readonly bias?: number } = {},
): void {
  kernels.lend([PANEL_BYTES], (panel) =>
    kernels.run.gemm(
      kernels.at(to),
      4 * n,
      a.at,
      a.row,
      a.step,
      b.at,
      b.row,
      b.step,
      m,
      k,
      n,
      relu ? RELU : 0,
      bias,
      panel,
    ),
  );
}
