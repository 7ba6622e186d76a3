// Row by row: layer normalisation, gathering, averaging, dropout, reflections. `width` is a multiple of 4.
import { sum4 } from './math';

/** normal = (x (+ residual) - mean) · scale for each row, out = normal · gain + bias. */
export function normForward(
  x: usize,
  residual: usize,
  gain: usize,
  bias: usize,
  out: usize,
  normal: usize,
  scales: usize,
  rows: i32,
  width: i32,
): void {
  const bytes = <usize>width << 2;
  for (let r = 0; r < rows; r++, x += bytes, out += bytes, normal += bytes) {
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) {
      let v = v128.load(x + k);
      if (residual) v = f32x4.add(v, v128.load(residual + k));
      v128.store(normal + k, v);
      sum = f32x4.add(sum, v);
    }
    const mean = f32x4.splat(sum4(sum) / <f32>width);
    sum = f32x4.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) {
      const v = f32x4.sub(v128.load(normal + k), mean);
      v128.store(normal + k, v);
      sum = f32x4.add(sum, f32x4.mul(v, v));
    }
    const scale = <f32>1 / sqrt<f32>(sum4(sum) / <f32>width + 1e-5);
    store<f32>(scales + (<usize>r << 2), scale);
    const s = f32x4.splat(scale);
    for (let k: usize = 0; k < bytes; k += 16) {
      const v = f32x4.mul(v128.load(normal + k), s);
      v128.store(normal + k, v);
      v128.store(out + k, f32x4.add(f32x4.mul(v, v128.load(gain + k)), v128.load(bias + k)));
    }
    if (residual) residual += bytes;
  }
}

/** Gradients of x (which are also those of the residual), gain and bias. */
export function normBackward(
  dy: usize,
  normal: usize,
  scales: usize,
  gain: usize,
  dx: usize,
  dGain: usize,
  dBias: usize,
  rows: i32,
  width: i32,
): void {
  const bytes = <usize>width << 2;
  memory.fill(dGain, 0, bytes);
  memory.fill(dBias, 0, bytes);
  for (let r = 0; r < rows; r++, dy += bytes, normal += bytes, dx += bytes) {
    let sum = f32x4.splat(0);
    let dot = sum;
    for (let k: usize = 0; k < bytes; k += 16) {
      const d = v128.load(dy + k);
      const n = v128.load(normal + k);
      v128.store(dGain + k, f32x4.add(v128.load(dGain + k), f32x4.mul(d, n)));
      v128.store(dBias + k, f32x4.add(v128.load(dBias + k), d));
      const g = f32x4.mul(d, v128.load(gain + k));
      sum = f32x4.add(sum, g);
      dot = f32x4.add(dot, f32x4.mul(g, n));
    }
    const meanSum = f32x4.splat(sum4(sum) / <f32>width);
    const meanDot = f32x4.splat(sum4(dot) / <f32>width);
    const scale = v128.load32_splat(scales + (<usize>r << 2));
    for (let k: usize = 0; k < bytes; k += 16) {
      const g = f32x4.mul(v128.load(dy + k), v128.load(gain + k));
      const part = f32x4.add(meanSum, f32x4.mul(v128.load(normal + k), meanDot));
      v128.store(dx + k, f32x4.mul(scale, f32x4.sub(g, part)));
    }
  }
}

/** Copies row index[i] of x to row i; -1 gives zeros. */
export function gather(out: usize, x: usize, index: usize, count: i32, width: i32): void {
  const bytes = <usize>width << 2;
  for (let i = 0; i < count; i++, out += bytes) {
    const from = load<i32>(index + (<usize>i << 2));
    if (from < 0) memory.fill(out, 0, bytes);
    else memory.copy(out, x + <usize>from * bytes, bytes);
  }
}

function addRow(to: usize, from: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  for (let k: usize = 0; k < bytes; k += 16)
    v128.store(to + k, f32x4.add(v128.load(to + k), f32x4.mul(s, v128.load(from + k))));
}

/** Adds row i of dy to row index[i] of out, which is cleared first. */
export function scatter(out: usize, dy: usize, index: usize, count: i32, rows: i32, width: i32): void {
  const bytes = <usize>width << 2;
  memory.fill(out, 0, <usize>rows * bytes);
  for (let i = 0; i < count; i++, dy += bytes) {
    const to = load<i32>(index + (<usize>i << 2));
    if (to >= 0) addRow(out + <usize>to * bytes, dy, 1, bytes);
  }
}

/** Mean of each item's rows; zeros for an item without rows. */
export function mean(out: usize, x: usize, offsets: usize, items: i32, width: i32): void {
  const bytes = <usize>width << 2;
  memory.fill(out, 0, <usize>items * bytes);
  for (let i = 0; i < items; i++, out += bytes) {
    const first = load<i32>(offsets + (<usize>i << 2));
    const end = load<i32>(offsets + (<usize>(i + 1) << 2));
    for (let r = first; r < end; r++) addRow(out, x + <usize>r * bytes, <f32>1 / <f32>(end - first), bytes);
  }
}

/** The gradient of mean: each row gets its item's dy over the number of rows; rows of no item get zeros. */
export function spread(dx: usize, dy: usize, offsets: usize, items: i32, rows: i32, width: i32): void {
  const bytes = <usize>width << 2;
  memory.fill(dx, 0, <usize>rows * bytes);
  for (let i = 0; i < items; i++, dy += bytes) {
    const first = load<i32>(offsets + (<usize>i << 2));
    const end = load<i32>(offsets + (<usize>(i + 1) << 2));
    for (let r = first; r < end; r++) addRow(dx + <usize>r * bytes, dy, <f32>1 / <f32>(end - first), bytes);
  }
}

/** Keeps x[i] · scale where the hash of (seed, i) is below `threshold`, else 0. The hash is that of ops/dropout.ts. */
export function drop(out: usize, x: usize, count: i32, seed: u32, threshold: u32, scale: f32): void {
  const s = f32x4.splat(scale);
  const limit = i32x4.splat(threshold ^ 0x80000000);
  const sign = i32x4.splat(0x80000000);
  const step = i32x4.splat(4);
  let n = i32x4.add(i32x4.splat(seed), i32x4(0, 1, 2, 3));
  let i = 0;
  for (; i + 4 <= count; i += 4, out += 16, x += 16) {
    let u = i32x4.mul(n, i32x4.splat(0x9e3779b1));
    u = v128.xor(u, i32x4.shr_u(u, 16));
    u = i32x4.mul(u, i32x4.splat(0x7feb352d));
    u = v128.xor(u, i32x4.shr_u(u, 15));
    const isKept = i32x4.lt_s(v128.xor(u, sign), limit);
    v128.store(out, v128.and(f32x4.mul(v128.load(x), s), isKept));
    n = i32x4.add(n, step);
  }
  for (; i < count; i++, out += 4, x += 4) {
    let u: u32 = (seed + i) * 0x9e3779b1;
    u ^= u >>> 16;
    u *= 0x7feb352d;
    u ^= u >>> 15;
    store<f32>(out, u < threshold ? load<f32>(x) * scale : 0);
  }
}

function dotRows(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + k), v128.load(b + k)));
  return sum4(sum);
}

/** unit = v / √(|v|² + 1e-12); returns that length. */
function toUnit(unit: usize, v: usize, bytes: usize): f32 {
  const length = sqrt<f32>(dotRows(v, v, bytes) + 1e-12);
  memory.fill(unit, 0, bytes);
  addRow(unit, v, <f32>1 / length, bytes);
  return length;
}

/** y = each row of x reflected by each normal in turn (or, if `isInverse`, in the opposite order). `unit`: one row. */
export function reflect(
  x: usize,
  y: usize,
  normals: usize,
  reflections: i32,
  isInverse: i32,
  rows: i32,
  width: i32,
  unit: usize,
): void {
  const bytes = <usize>width << 2;
  memory.copy(y, x, <usize>rows * bytes);
  for (let i = 0; i < reflections; i++) {
    toUnit(unit, normals + <usize>(isInverse ? reflections - 1 - i : i) * bytes, bytes);
    for (let r = 0; r < rows; r++) {
      const row = y + <usize>r * bytes;
      addRow(row, unit, -2 * dotRows(row, unit, bytes), bytes);
    }
  }
}

/**
 * Walks back through reflect, because a reflection undoes itself: from its result `y` and the gradient `dy` of that to the
 * gradients `d` of its input and `dNormals`. `unit`: two rows of scratch, then as many as y has.
 */
export function reflectBackward(
  y: usize,
  dy: usize,
  d: usize,
  normals: usize,
  dNormals: usize,
  reflections: i32,
  isInverse: i32,
  rows: i32,
  width: i32,
  unit: usize,
): void {
  const bytes = <usize>width << 2;
  const dUnit = unit + bytes;
  const x = dUnit + bytes;
  memory.copy(x, y, <usize>rows * bytes);
  memory.copy(d, dy, <usize>rows * bytes);
  for (let i = reflections - 1; i >= 0; i--) {
    const at = <usize>(isInverse ? reflections - 1 - i : i) * bytes;
    const length = toUnit(unit, normals + at, bytes);
    memory.fill(dUnit, 0, bytes);
    for (let r = 0; r < rows; r++) {
      const row = x + <usize>r * bytes;
      const g = d + <usize>r * bytes;
      addRow(row, unit, -2 * dotRows(row, unit, bytes), bytes);
      const along = dotRows(row, unit, bytes);
      const slope = dotRows(g, unit, bytes);
      addRow(dUnit, g, -2 * along, bytes);
      addRow(dUnit, row, -2 * slope, bytes);
      addRow(g, unit, -2 * slope, bytes);
    }
    memory.fill(dNormals + at, 0, bytes);
    addRow(dNormals + at, dUnit, <f32>1 / length, bytes);
    addRow(dNormals + at, unit, -dotRows(dUnit, unit, bytes) / length, bytes);
  }
}
