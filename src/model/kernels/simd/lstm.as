// LSTMs over many sequences at once, step by step. Sequences are sorted by length, longest first: `order` lists the rows
// that are read at step 0, then those of step 1 …, `counts` how many there are of each; the s-th row of a step belongs to
// the s-th sequence. Gates stand in the order input, forget, output, candidate; `hidden` is a multiple of 4.
import { ADD, gemm, packPanel, tile1, tile4 } from './gemm';
import { sigmoid4, tanh4 } from './math';

// @ts-ignore: decorator
@inline
function rowAt(order: usize, s: i32): usize {
  return <usize>load<i32>(order + (<usize>s << 2));
}

/** Recurrent weights `[hidden, 4 · hidden]` (or their transpose, by strides) as panels of eight columns. */
function packAll(to: usize, w: usize, wRow: usize, wStep: usize, k: i32, n: i32): void {
  for (let n0 = 0; n0 < n; n0 += 8, to += <usize>k << 5)
    packPanel(to, w + <usize>n0 * wStep, wRow, wStep, k, min(8, n - n0));
}

/**
 * Forward: gates (rows `gRow` bytes apart) → activations (alike), cell states and outputs (rows `hRow` bytes apart).
 * Rows of no sequence are left as they are. `panels`: `[hidden, 4 · hidden]` of scratch.
 */
export function lstmForward(
  gates: usize,
  active: usize,
  gRow: usize,
  c: usize,
  h: usize,
  hRow: usize,
  w: usize,
  order: usize,
  counts: usize,
  steps: i32,
  hidden: i32,
  panels: usize,
): void {
  const size = 4 * hidden;
  packAll(panels, w, <usize>size << 2, 4, hidden, size);
  let before = order;
  for (let t = 0; t < steps; t++) {
    const count = load<i32>(counts + (<usize>t << 2));
    for (let s = 0; s < count; s++) {
      const at = rowAt(order, s) * gRow;
      memory.copy(active + at, gates + at, <usize>size << 2);
    }
    if (t > 0) addRecurrent(active, gRow, h, hRow, panels, order, before, count, hidden);
    for (let s = 0; s < count; s++) {
      const row = rowAt(order, s);
      activate(active + row * gRow, t > 0 ? c + rowAt(before, s) * hRow : 0, c + row * hRow, h + row * hRow, hidden);
    }
    before = order;
    order += <usize>count << 2;
  }
}

function addRecurrent(
  active: usize,
  gRow: usize,
  h: usize,
  hRow: usize,
  panels: usize,
  order: usize,
  before: usize,
  count: i32,
  hidden: i32,
): void {
  const size = 4 * hidden;
  for (let n0 = 0; n0 < size; n0 += 8, panels += <usize>hidden << 5) {
    const z = active + (<usize>n0 << 2);
    let s = 0;
    for (; s + 4 <= count; s += 4)
      tile4(
        z + rowAt(order, s) * gRow,
        z + rowAt(order, s + 1) * gRow,
        z + rowAt(order, s + 2) * gRow,
        z + rowAt(order, s + 3) * gRow,
        h + rowAt(before, s) * hRow,
        h + rowAt(before, s + 1) * hRow,
        h + rowAt(before, s + 2) * hRow,
        h + rowAt(before, s + 3) * hRow,
        4,
        panels,
        32,
        hidden,
        8,
        ADD,
        0,
      );
    for (; s < count; s++)
      tile1(z + rowAt(order, s) * gRow, h + rowAt(before, s) * hRow, 4, panels, 32, hidden, 8, ADD, 0);
  }
}

/** Gates to activations in place, then the cell and the output; `before` is the previous cell state, 0 for none. */
export function activate(z: usize, before: usize, c: usize, h: usize, hidden: i32): void {
  const size = <usize>hidden << 2;
  for (let k: usize = 0; k < size; k += 16) {
    const at = z + k;
    const i = sigmoid4(v128.load(at));
    const f = sigmoid4(v128.load(at + size));
    const o = sigmoid4(v128.load(at + 2 * size));
    const g = tanh4(v128.load(at + 3 * size));
    v128.store(at, i);
    v128.store(at + size, f);
    v128.store(at + 2 * size, o);
    v128.store(at + 3 * size, g);
    let cell = f32x4.mul(i, g);
    if (before) cell = f32x4.add(f32x4.mul(f, v128.load(before + k)), cell);
    v128.store(c + k, cell);
    v128.store(h + k, f32x4.mul(o, tanh4(cell)));
  }
}

/**
 * Backward: gradients of the gates `dz` (rows of no sequence are left as they are) and of the weights `dw`. `scratch`:
 * `[4 · hidden, hidden + 4]` for panels, then `[sequences, hidden]` twice, `[rows, hidden]` and 16 KiB.
 */
export function lstmBackward(
  dy: usize,
  active: usize,
  gRow: usize,
  c: usize,
  h: usize,
  hRow: usize,
  w: usize,
  order: usize,
  counts: usize,
  steps: i32,
  hidden: i32,
  rows: i32,
  dz: usize,
  dw: usize,
  scratch: usize,
): void {
  const size = 4 * hidden;
  const bytes = <usize>hidden << 2;
  const sequences = steps > 0 ? <usize>load<i32>(counts) : 0;
  const dh = scratch + (<usize>size << 2) * <usize>(hidden + 4);
  const dc = dh + sequences * bytes;
  const previous = dc + sequences * bytes;
  const panel = previous + <usize>rows * bytes;
  packAll(scratch, w, 4, <usize>size << 2, size, hidden);
  memory.fill(dh, 0, 2 * sequences * bytes + <usize>rows * bytes);
  let end = order;
  for (let t = 0; t < steps; t++) end += <usize>load<i32>(counts + (<usize>t << 2)) << 2;
  for (let t = steps - 1; t >= 0; t--) {
    const count = load<i32>(counts + (<usize>t << 2));
    end -= <usize>count << 2;
    const before = t > 0 ? end - (<usize>load<i32>(counts + (<usize>(t - 1) << 2)) << 2) : 0;
    for (let s = 0; s < count; s++) {
      const row = rowAt(end, s);
      const at = <usize>s * bytes;
      const last = before ? rowAt(before, s) * hRow : 0;
      if (before) memory.copy(previous + row * bytes, h + last, bytes);
      const cell = c + row * hRow;
      gateGradients(
        dy + row * hRow, active + row * gRow, cell, before ? c + last : 0, dh + at, dc + at, dz + row * gRow, hidden,
      );
    }
    if (before) recurrentGradients(dh, dz, gRow, scratch, end, count, hidden);
  }
  gemm(dw, <usize>size << 2, previous, 4, bytes, dz, gRow, 4, hidden, rows, size, 0, 0, panel);
}

function gateGradients(
  dy: usize,
  z: usize,
  cell: usize,
  before: usize,
  dh: usize,
  dc: usize,
  dz: usize,
  hidden: i32,
): void {
  const size = <usize>hidden << 2;
  const one = f32x4.splat(1);
  for (let k: usize = 0; k < size; k += 16) {
    const i = v128.load(z + k);
    const f = v128.load(z + k + size);
    const o = v128.load(z + k + 2 * size);
    const g = v128.load(z + k + 3 * size);
    const t = tanh4(v128.load(cell + k));
    const d = f32x4.add(v128.load(dy + k), v128.load(dh + k));
    const dCell = f32x4.add(v128.load(dc + k), f32x4.mul(f32x4.mul(d, o), f32x4.sub(one, f32x4.mul(t, t))));
    const past = before ? v128.load(before + k) : f32x4.splat(0);
    v128.store(dz + k, f32x4.mul(f32x4.mul(dCell, g), f32x4.mul(i, f32x4.sub(one, i))));
    v128.store(dz + k + size, f32x4.mul(f32x4.mul(dCell, past), f32x4.mul(f, f32x4.sub(one, f))));
    v128.store(dz + k + 2 * size, f32x4.mul(f32x4.mul(d, t), f32x4.mul(o, f32x4.sub(one, o))));
    v128.store(dz + k + 3 * size, f32x4.mul(f32x4.mul(dCell, i), f32x4.sub(one, f32x4.mul(g, g))));
    v128.store(dc + k, f32x4.mul(dCell, f));
  }
}

/** dh[s] = dz of the s-th row · wᵀ. */
function recurrentGradients(
  dh: usize,
  dz: usize,
  gRow: usize,
  panels: usize,
  order: usize,
  count: i32,
  hidden: i32,
): void {
  const size = 4 * hidden;
  const bytes = <usize>hidden << 2;
  for (let n0 = 0; n0 < hidden; n0 += 8, panels += <usize>size << 5) {
    const width = min(8, hidden - n0);
    let to = dh + (<usize>n0 << 2);
    let s = 0;
    for (; s + 4 <= count; s += 4, to += 4 * bytes)
      tile4(
        to,
        to + bytes,
        to + 2 * bytes,
        to + 3 * bytes,
        dz + rowAt(order, s) * gRow,
        dz + rowAt(order, s + 1) * gRow,
        dz + rowAt(order, s + 2) * gRow,
        dz + rowAt(order, s + 3) * gRow,
        4,
        panels,
        32,
        size,
        width,
        0,
        0,
      );
    for (; s < count; s++, to += bytes)
      tile1(to, dz + rowAt(order, s) * gRow, 4, panels, 32, size, width, 0, 0);
  }
}
