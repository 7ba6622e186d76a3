// exp, sigmoid and tanh of four numbers at once: relative error below 1e-6, finite for every finite input.
// No constant may become static data: this module lives in the tensor backend's memory and must not write into it.

const LOG2_E: f32 = 1.4426950408889634;
// ln 2 in two parts; the first has few bits, so that its products with whole numbers are exact.
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440054690583e-4;

// e^r - 1 for |r| <= ln(2) / 2: the power series up to r^7, whose remainder is below 6e-9 of the value.
function expm1Near0(r: v128): v128 {
  let p = f32x4.splat(<f32>(1.0 / 5040.0));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 720.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 120.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 24.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(<f32>(1.0 / 6.0)));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  return f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r);
}

// x = k ln 2 + r with whole k: the k of each lane.
function powersOfTwo(x: v128): v128 {
  return f32x4.nearest(f32x4.mul(x, f32x4.splat(LOG2_E)));
}

function remainder(x: v128, k: v128): v128 {
  return f32x4.sub(f32x4.sub(x, f32x4.mul(k, f32x4.splat(LN2_HIGH))), f32x4.mul(k, f32x4.splat(LN2_LOW)));
}

// 2^k for whole k from -126 to 127, made from its bits.
function twoTo(k: v128): v128 {
  return i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23);
}

function clamp(x: v128, bound: f32): v128 {
  return f32x4.max(f32x4.min(x, f32x4.splat(bound)), f32x4.splat(-bound));
}

/** e^x, for x cut to [-87, 87]. */
export function exp4(x: v128): v128 {
  const y = clamp(x, 87);
  const k = powersOfTwo(y);
  return f32x4.mul(f32x4.add(expm1Near0(remainder(y, k)), f32x4.splat(1)), twoTo(k));
}

/** 1 / (1 + e^-x). */
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(exp4(f32x4.neg(x)), f32x4.splat(1)));
}

/** tanh x = (e^2x - 1) / (e^2x + 1), from e^2x - 1 without cancellation near 0; 1 within rounding beyond 9. */
export function tanh4(x: v128): v128 {
  const y = f32x4.mul(clamp(x, 9.1), f32x4.splat(2));
  const k = powersOfTwo(y);
  const s = twoTo(k);
  const e = f32x4.add(f32x4.mul(expm1Near0(remainder(y, k)), s), f32x4.sub(s, f32x4.splat(1)));
  return f32x4.div(e, f32x4.add(e, f32x4.splat(2)));
}

/** The sum of the four lanes. */
export function sum4(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** to[i] = f(from[i]) for `count` numbers: 0 = exp, 1 = sigmoid, 2 = tanh. `count` is a multiple of 4. */
export function map(to: usize, from: usize, count: i32, which: i32): void {
  const end = to + (<usize>count << 2);
  for (; to < end; to += 16, from += 16) {
    const x = v128.load(from);
    v128.store(to, which == 0 ? exp4(x) : which == 1 ? sigmoid4(x) : tanh4(x));
  }
}
