// What is done with the samples of one frame.

/** Of `count` samples at `samples` (32 bit), less `mean`, times `window`, to `to`; returns the largest size of those from `from` to before `until`. */
export function windowed(samples: usize, count: i32, mean: f64, window: usize, to: usize, from: i32, until: i32): f64 {
  let peak: f64 = 0;
  for (let i = 0; i < count; i++, samples += 4, window += 8, to += 8) {
    const value = (<f64>load<f32>(samples) - mean) * load<f64>(window);
    store<f64>(to, value);
    if (i >= from && i < until) peak = Math.max(peak, Math.abs(value));
  }
  return peak;
}

/** The sum of `window` times the square of samples (32 bit) less their mean, over the sum of the window. */
export function windowedPower(samples: usize, count: i32, window: usize): f64 {
  let mean: f64 = 0;
  for (let i: usize = 0; i < <usize>count; i++) mean += <f64>load<f32>(samples + (i << 2));
  mean /= <f64>count;
  let power = f64x2.splat(0);
  let weight = f64x2.splat(0);
  const both = f64x2.splat(mean);
  let i = 0;
  for (; i + 1 < count; i += 2, samples += 8, window += 16) {
    const w = v128.load(window);
    const x = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(samples)), both);
    power = f64x2.add(power, f64x2.mul(f64x2.mul(w, x), x));
    weight = f64x2.add(weight, w);
  }
  let powers = f64x2.extract_lane(power, 0) + f64x2.extract_lane(power, 1);
  let weights = f64x2.extract_lane(weight, 0) + f64x2.extract_lane(weight, 1);
  if (i < count) {
    const x = <f64>load<f32>(samples) - mean;
    powers += load<f64>(window) * x * x;
    weights += load<f64>(window);
  }
  return powers / weights;
}

/** The sum of products of `count` numbers at `a` and `b`; `count` is even. */
export function dot(a: usize, b: usize, count: i32): f64 {
  let sum = f64x2.splat(0);
  const end = a + (<usize>count << 3);
  for (; a < end; a += 16, b += 16) sum = f64x2.add(sum, f64x2.mul(v128.load(a), v128.load(b)));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
