// Fourier transforms of 64-bit numbers. A complex number is one vector: its real part in lane 0, its imaginary part in lane 1.

/** j z: lanes exchanged, the new real part negated. */
// @ts-ignore: decorator
@inline
function turned(z: v128): v128 {
  return f64x2.mul(v128.shuffle<f64>(z, z, 1, 0), f64x2(-1, 1));
}

/** z times the factor whose real and imaginary parts stand at `w`. */
// @ts-ignore: decorator
@inline
function times(z: v128, w: usize): v128 {
  return f64x2.add(f64x2.mul(z, v128.load_splat<f64>(w)), f64x2.mul(turned(z), v128.load_splat<f64>(w, 8)));
}

/**
 * Discrete Fourier transform of `n` complex numbers at `x`, a power of two, with as much scratch at `y`; returns where of the
 * two the result stands. Stockham's autosort algorithm, radix 4 and a last radix 2. `w`: for each pass of radix 4 and each p
 * below n/4 of it, the factors e^(-2πi p/n), of 2p and of 3p.
 */
export function fft(n: i32, x: usize, y: usize, w: usize): usize {
  let stride: usize = 16;
  while (n > 2) {
    const quarter = n >> 2;
    const step = <usize>quarter * stride;
    let from = x;
    let to = y;
    for (let p = 0; p < quarter; p++, w += 48) {
      const end = from + stride;
      for (; from < end; from += 16, to += 16) {
        const a = v128.load(from);
        const b = v128.load(from + step);
        const c = v128.load(from + 2 * step);
        const d = v128.load(from + 3 * step);
        const ac = f64x2.add(a, c);
        const bd = f64x2.add(b, d);
        const acLess = f64x2.sub(a, c);
        const bdTurned = turned(f64x2.sub(b, d));
        v128.store(to, f64x2.add(ac, bd));
        v128.store(to + stride, times(f64x2.sub(acLess, bdTurned), w));
        v128.store(to + 2 * stride, times(f64x2.sub(ac, bd), w + 16));
        v128.store(to + 3 * stride, times(f64x2.add(acLess, bdTurned), w + 32));
      }
      to += 3 * stride;
    }
    n = quarter;
    stride <<= 2;
    const swapped = x;
    x = y;
    y = swapped;
  }
  if (n == 1) return x;
  const end = x + stride;
  for (let from = x, to = y; from < end; from += 16, to += 16) {
    const a = v128.load(from);
    const b = v128.load(from + stride);
    v128.store(to, f64x2.add(a, b));
    v128.store(to + stride, f64x2.sub(a, b));
  }
  return y;
}

/**
 * Power of bins 0 … n/2 of `n` real numbers at `x`, which is overwritten; as much scratch at `y`. `w`: factors of the complex
 * transform of n/2; `u`: cosine and sine of 2πk/n for k = 0 … n/4. The numbers are transformed as n/2 complex ones.
 * Source: Press et al., Numerical Recipes, section 12.3.1 ("Transform of two real functions" and the one after).
 */
export function power(n: i32, x: usize, y: usize, w: usize, u: usize, to: usize): void {
  const m = n >> 1;
  const z = fft(m, x, y, w);
  for (let k = 0; k <= m >> 1; k++, u += 16) {
    const here = z + (<usize>k << 4);
    const there = z + (<usize>((m - k) & (m - 1)) << 4);
    const a = load<f64>(here);
    const b = load<f64>(here, 8);
    const c = load<f64>(there);
    const d = load<f64>(there, 8);
    const evenRe = 0.5 * (a + c);
    const evenIm = 0.5 * (b - d);
    const oddRe = 0.5 * (b + d);
    const oddIm = 0.5 * (c - a);
    const cosine = load<f64>(u);
    const sine = load<f64>(u, 8);
    const re = cosine * oddRe + sine * oddIm;
    const im = cosine * oddIm - sine * oddRe;
    store<f64>(to + (<usize>k << 3), square(evenRe + re) + square(evenIm + im));
    store<f64>(to + (<usize>(m - k) << 3), square(evenRe - re) + square(evenIm - im));
  }
}

// @ts-ignore: decorator
@inline
function square(x: f64): f64 {
  return x * x;
}

/**
 * Real part of bin k <= m of 2m real numbers, of which the transform as m complex ones stands at `z`. At `u`: cosine and sine
 * of πk/m.
 */
// @ts-ignore: decorator
@inline
export function realPart(z: usize, m: i32, k: i32, u: usize): f64 {
  const here = z + (<usize>(k & (m - 1)) << 4);
  const there = z + (<usize>((m - k) & (m - 1)) << 4);
  const a = load<f64>(here);
  const c = load<f64>(there);
  return 0.5 * (a + c + load<f64>(u) * (load<f64>(here, 8) + load<f64>(there, 8)) + load<f64>(u, 8) * (c - a));
}

/** The imaginary part of the same. */
// @ts-ignore: decorator
@inline
export function imaginaryPart(z: usize, m: i32, k: i32, u: usize): f64 {
  const here = z + (<usize>(k & (m - 1)) << 4);
  const there = z + (<usize>((m - k) & (m - 1)) << 4);
  const b = load<f64>(here, 8);
  const d = load<f64>(there, 8);
  return 0.5 * (b - d + load<f64>(u) * (load<f64>(there) - load<f64>(here)) - load<f64>(u, 8) * (b + d));
}
