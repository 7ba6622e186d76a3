// Matrix products in tiles of four rows by eight columns. Every element is summed in the order of k alone, so that a row's
// result does not depend on which other rows stand beside it. All strides are in bytes; elements are 32-bit floats.

// Rows of B that are packed at a time: a panel of 512 x 8 numbers stays in the first-level cache.
const BLOCK: i32 = 512;
// Up to here B is read in place: packing it would cost more than it saves.
const FEW_ROWS: i32 = 12;

/** How a finished tile is stored. */
export const ADD: i32 = 1;
export const RELU: i32 = 2;

/** Copies eight columns of B side by side, `[k, 8]`; columns beyond `width` become 0. */
export function packPanel(to: usize, b: usize, bRow: usize, bStep: usize, k: i32, width: i32): void {
  if (bStep == 4 && width == 8) {
    for (let i = 0; i < k; i++, to += 32, b += bRow) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
    }
    return;
  }
  for (let j = 0; j < 8; j++, to += 4, b += bStep) {
    let from = b;
    let at = to;
    for (let i = 0; i < k; i++, at += 32, from += bRow) store<f32>(at, j < width ? load<f32>(from) : 0);
  }
}

function storeHalf(c: usize, value: v128, width: i32, mode: i32, bias: usize): void {
  if (width >= 4) {
    if (mode & ADD) value = f32x4.add(value, v128.load(c));
    if (bias) value = f32x4.add(value, v128.load(bias));
    if (mode & RELU) value = f32x4.max(value, f32x4.splat(0));
    v128.store(c, value);
    return;
  }
  for (let i = 0; i < width; i++) {
    let x = f32x4.extract_lane(value, 0);
    value = i8x16.shuffle(value, value, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
    const at = <usize>i << 2;
    if (mode & ADD) x += load<f32>(c + at);
    if (bias) x += load<f32>(bias + at);
    if (mode & RELU) x = max<f32>(x, 0);
    store<f32>(c + at, x);
  }
}

function storeRow(c: usize, left: v128, right: v128, width: i32, mode: i32, bias: usize): void {
  storeHalf(c, left, width, mode, bias);
  if (width > 4) storeHalf(c + 16, right, width - 4, mode, bias ? bias + 16 : 0);
}

/** Four rows of A times a panel: rows begin at a0 to a3 and go on by `aStep`; the panel's rows are `pRow` apart. */
export function tile4(
  c0: usize,
  c1: usize,
  c2: usize,
  c3: usize,
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  aStep: usize,
  p: usize,
  pRow: usize,
  k: i32,
  width: i32,
  mode: i32,
  bias: usize,
): void {
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (let i = 0; i < k; i++) {
    const left = v128.load(p);
    const right = v128.load(p, 16);
    let a = v128.load32_splat(a0);
    s00 = f32x4.add(s00, f32x4.mul(a, left));
    s01 = f32x4.add(s01, f32x4.mul(a, right));
    a = v128.load32_splat(a1);
    s10 = f32x4.add(s10, f32x4.mul(a, left));
    s11 = f32x4.add(s11, f32x4.mul(a, right));
    a = v128.load32_splat(a2);
    s20 = f32x4.add(s20, f32x4.mul(a, left));
    s21 = f32x4.add(s21, f32x4.mul(a, right));
    a = v128.load32_splat(a3);
    s30 = f32x4.add(s30, f32x4.mul(a, left));
    s31 = f32x4.add(s31, f32x4.mul(a, right));
    p += pRow;
    a0 += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
  }
  storeRow(c0, s00, s01, width, mode, bias);
  storeRow(c1, s10, s11, width, mode, bias);
  storeRow(c2, s20, s21, width, mode, bias);
  storeRow(c3, s30, s31, width, mode, bias);
}

/** One row of A times a panel. */
export function tile1(
  c: usize,
  a: usize,
  aStep: usize,
  p: usize,
  pRow: usize,
  k: i32,
  width: i32,
  mode: i32,
  bias: usize,
): void {
  let left = f32x4.splat(0);
  let right = left;
  for (let i = 0; i < k; i++, p += pRow, a += aStep) {
    const x = v128.load32_splat(a);
    left = f32x4.add(left, f32x4.mul(x, v128.load(p)));
    right = f32x4.add(right, f32x4.mul(x, v128.load(p, 16)));
  }
  storeRow(c, left, right, width, mode, bias);
}

/** One row of A times 32 columns of B read in place: enough sums at once to hide how long one addition takes. */
export function wide1(c: usize, a: usize, aStep: usize, b: usize, bRow: usize, k: i32, mode: i32, bias: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (let i = 0; i < k; i++, b += bRow, a += aStep) {
    const x = v128.load32_splat(a);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(b, 48)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(b, 64)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(b, 80)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(b, 96)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(b, 112)));
  }
  storeRow(c, s0, s1, 8, mode, bias);
  storeRow(c + 32, s2, s3, 8, mode, bias ? bias + 32 : 0);
  storeRow(c + 64, s4, s5, 8, mode, bias ? bias + 64 : 0);
  storeRow(c + 96, s6, s7, 8, mode, bias ? bias + 96 : 0);
}

/**
 * C[m, n] = (C +) A[m, k] · B[k, n] (+ bias), then cut at zero if asked. A's rows are `aRow` and its columns `aStep` apart,
 * so are B's: a transposed operand is one with the two exchanged. `panel`: 16 KiB of scratch.
 */
export function gemm(
  c: usize,
  cRow: usize,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  bStep: usize,
  m: i32,
  k: i32,
  n: i32,
  mode: i32,
  bias: usize,
  panel: usize,
): void {
  const inPlace = m <= FEW_ROWS && bStep == 4;
  for (let k0 = 0; k0 < k; k0 += BLOCK) {
    const rows = min(BLOCK, k - k0);
    const isLast = k0 + rows == k;
    const how = (k0 > 0 ? ADD : mode & ADD) | (isLast ? mode & RELU : 0);
    const aBlock = a + <usize>k0 * aStep;
    const bBlock = b + <usize>k0 * bRow;
    let n0 = 0;
    if (inPlace && m == 1)
      for (; n0 + 32 <= n; n0 += 32) {
        const at = <usize>n0 << 2;
        wide1(c + at, aBlock, aStep, bBlock + at, bRow, rows, how, isLast && bias ? bias + at : 0);
      }
    for (; n0 < n; n0 += 8) {
      const at = <usize>n0 << 2;
      const width = min(8, n - n0);
      let p = panel;
      let pRow: usize = 32;
      if (inPlace && width == 8) {
        p = bBlock + at;
        pRow = bRow;
      } else packPanel(panel, bBlock + <usize>n0 * bStep, bRow, bStep, rows, width);
      multiplyPanel(c + at, cRow, aBlock, aRow, aStep, p, pRow, m, rows, width, how, isLast && bias ? bias + at : 0);
    }
  }
}

function multiplyPanel(
  c: usize,
  cRow: usize,
  a: usize,
  aRow: usize,
  aStep: usize,
  p: usize,
  pRow: usize,
  m: i32,
  k: i32,
  width: i32,
  mode: i32,
  bias: usize,
): void {
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const c2 = c + 2 * cRow;
    const a2 = a + 2 * aRow;
    tile4(c, c + cRow, c2, c2 + cRow, a, a + aRow, a2, a2 + aRow, aStep, p, pRow, k, width, mode, bias);
    c += 4 * cRow;
    a += 4 * aRow;
  }
  for (; i < m; i++, c += cRow, a += aRow) tile1(c, a, aStep, p, pRow, k, width, mode, bias);
}

/** to[n] = sum of the rows of x `[m, n]`. `n` may be anything. */
export function sumRows(to: usize, x: usize, m: i32, n: i32): void {
  memory.fill(to, 0, <usize>n << 2);
  for (let r = 0; r < m; r++) {
    let j = 0;
    for (; j + 4 <= n; j += 4, x += 16) {
      const at = to + (<usize>j << 2);
      v128.store(at, f32x4.add(v128.load(at), v128.load(x)));
    }
    for (; j < n; j++, x += 4) {
      const at = to + (<usize>j << 2);
      store<f32>(at, load<f32>(at) + load<f32>(x));
    }
  }
}

/** to[i] = dy[i] where y[i] is above zero, else 0: the gradient of cutting at zero. */
export function reluGradient(to: usize, dy: usize, y: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4, to += 16, dy += 16, y += 16)
    v128.store(to, v128.and(v128.load(dy), f32x4.gt(v128.load(y), f32x4.splat(0))));
  for (; i < count; i++, to += 4, dy += 4, y += 4) store<f32>(to, load<f32>(y) > 0 ? load<f32>(dy) : 0);
}
