// Multi-head attention over packed rows, item by item, for one source at a time. `size` (numbers per head) is a multiple
// of 4. Probabilities are kept in order of item, head, query, key.
import { exp4, sum4 } from './math';

// @ts-ignore: decorator
@inline
function at(list: usize, i: i32): i32 {
  return load<i32>(list + (<usize>i << 2));
}

function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + k), v128.load(b + k)));
  return sum4(sum);
}

/** to += scale · from */
function addScaled(to: usize, from: usize, scale: f32, bytes: usize): void {
  const s = f32x4.splat(scale);
  for (let k: usize = 0; k < bytes; k += 16)
    v128.store(to + k, f32x4.add(v128.load(to + k), f32x4.mul(s, v128.load(from + k))));
}

/** Scores to probabilities in place. */
function softmax(p: usize, count: i32, max: f32): void {
  let sum: f32 = 0;
  const m = f32x4.splat(max);
  let j = 0;
  for (; j + 4 <= count; j += 4) {
    const e = exp4(f32x4.sub(v128.load(p + (<usize>j << 2)), m));
    v128.store(p + (<usize>j << 2), e);
    sum += sum4(e);
  }
  for (; j < count; j++) {
    const e = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(p + (<usize>j << 2)) - max)), 0);
    store<f32>(p + (<usize>j << 2), e);
    sum += e;
  }
  for (j = 0; j < count; j++) store<f32>(p + (<usize>j << 2), load<f32>(p + (<usize>j << 2)) / sum);
}

/** out += weight · softmax(q kᵀ / √size) v, one source; `p` receives the probabilities. */
export function attendForward(
  q: usize,
  kv: usize,
  out: usize,
  p: usize,
  queryOffsets: usize,
  offsets: usize,
  weights: usize,
  items: i32,
  heads: i32,
  size: i32,
): void {
  const bytes = <usize>size << 2;
  const row = <usize>heads * bytes;
  const scale = <f32>1 / sqrt<f32>(<f32>size);
  for (let item = 0; item < items; item++) {
    const weight = load<f32>(weights + (<usize>item << 2));
    const first = at(offsets, item);
    const keys = at(offsets, item + 1) - first;
    if (weight == 0 || keys == 0) continue;
    for (let h = 0; h < heads; h++)
      for (let r = at(queryOffsets, item); r < at(queryOffsets, item + 1); r++) {
        const own = <usize>r * row + <usize>h * bytes;
        let key = kv + <usize>first * 2 * row + <usize>h * bytes;
        let max: f32 = -Infinity;
        for (let j = 0; j < keys; j++, key += 2 * row) {
          const score = dot(q + own, key, bytes) * scale;
          store<f32>(p + (<usize>j << 2), score);
          if (score > max) max = score;
        }
        softmax(p, keys, max);
        let value = kv + <usize>first * 2 * row + row + <usize>h * bytes;
        for (let j = 0; j < keys; j++, p += 4, value += 2 * row)
          addScaled(out + own, value, weight * load<f32>(p), bytes);
      }
  }
}

/** dq += …, dkv += … of one source; `scores`: as many numbers of scratch as an item has keys. */
export function attendBackward(
  q: usize,
  kv: usize,
  p: usize,
  dy: usize,
  dq: usize,
  dkv: usize,
  queryOffsets: usize,
  offsets: usize,
  weights: usize,
  items: i32,
  heads: i32,
  size: i32,
  scores: usize,
): void {
  const bytes = <usize>size << 2;
  const row = <usize>heads * bytes;
  const scale = <f32>1 / sqrt<f32>(<f32>size);
  for (let item = 0; item < items; item++) {
    const weight = load<f32>(weights + (<usize>item << 2));
    const first = at(offsets, item);
    const keys = at(offsets, item + 1) - first;
    if (weight == 0 || keys == 0) continue;
    for (let h = 0; h < heads; h++)
      for (let r = at(queryOffsets, item); r < at(queryOffsets, item + 1); r++) {
        const own = <usize>r * row + <usize>h * bytes;
        let key = <usize>first * 2 * row + <usize>h * bytes;
        let mean: f32 = 0;
        for (let j = 0; j < keys; j++, key += 2 * row) {
          const share = load<f32>(p + (<usize>j << 2));
          const score = weight * dot(dy + own, kv + key + row, bytes);
          addScaled(dkv + key + row, dy + own, weight * share, bytes);
          store<f32>(scores + (<usize>j << 2), score);
          mean += score * share;
        }
        key = <usize>first * 2 * row + <usize>h * bytes;
        for (let j = 0; j < keys; j++, p += 4, key += 2 * row) {
          const ds = scale * load<f32>(p) * (load<f32>(scores + (<usize>j << 2)) - mean);
          addScaled(dq + own, kv + key, ds, bytes);
          addScaled(dkv + key, q + own, ds, bytes);
        }
      }
  }
}
