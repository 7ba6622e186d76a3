// Correlations by way of the Fourier transform. Tables are made by ../signalKernels.ts and its callers.
import { fft, imaginaryPart, realPart } from './fft';

/**
 * Transforms the real and even spectrum with bins 0 … half at `bins` to lags 0 … half - 1 at `to`; not scaled. `x` and `y`:
 * scratch of `half` numbers each. `w`: factors of the complex transform of half/2; `u`: cosine and sine of 2πk/half for
 * k < half/2; `v`: twice the sine and cosine of πk/half for k < half.
 * One real transform of half the size: even lags are its real part, odd lags the running sum of its imaginary part.
 * Source: Press et al., Numerical Recipes, section 12.4.2 ("Cosine transform"), the identities.
 */
export function cosine(half: i32, bins: usize, x: usize, y: usize, w: usize, u: usize, v: usize, to: usize): void {
  const last = <usize>half << 3;
  let odd = load<f64>(bins) - load<f64>(bins + last);
  for (let k: usize = 0; k < last; k += 8, v += 16) {
    const here = load<f64>(bins + k);
    const mirrored = load<f64>(bins + last - k);
    store<f64>(x + k, here + mirrored + load<f64>(v) * (here - mirrored));
    if (k > 0) odd += load<f64>(v, 8) * here;
  }
  const m = half >> 1;
  const z = fft(m, x, y, w);
  for (let k = 0; k < m; k++, u += 16, to += 16) {
    if (k > 0) odd += imaginaryPart(z, m, k, u);
    store<f64>(to, realPart(z, m, k, u));
    store<f64>(to, odd, 8);
  }
}

/** r[lag] = c[lag] weights[lag] / c[0] for lags 0 … lags, mirrored to `mirror` negative ones; `r` is the place of lag 0. */
export function normalise(c: usize, weights: usize, lags: i32, mirror: i32, r: usize): void {
  const energy = load<f64>(c);
  for (let lag = 0; lag <= lags; lag++) {
    const at = <usize>lag << 3;
    const value = (load<f64>(c + at) * load<f64>(weights + at)) / energy;
    store<f64>(r + at, value);
    if (lag <= mirror) store<f64>(r - at, value);
  }
}

/** Of `span` samples (32 bit) less `mean`: the first `size` as real, all as imaginary parts of n numbers at `to`; then 0. */
export function pack(n: i32, size: i32, span: i32, samples: usize, mean: f64, to: usize): void {
  for (let i = 0; i < n; i++, samples += 4, to += 16) {
    const x: f64 = i < span ? <f64>load<f32>(samples) - mean : 0;
    store<f64>(to, i < size ? x : 0);
    store<f64>(to, x, 8);
  }
}

/**
 * Of the packed spectrum Z = X + iY of n bins at `z`, the cross spectrum C = X* Y, as the real sequence Re C + Im C: the real
 * and imaginary parts of the transform of that add up to n times the correlation (Hartley).
 */
export function cross(n: i32, z: usize, to: usize): void {
  for (let k = 0; k <= n >> 1; k++) {
    const j = (n - k) & (n - 1);
    const here = z + (<usize>k << 4);
    const there = z + (<usize>j << 4);
    const a = load<f64>(here);
    const b = load<f64>(here, 8);
    const c = load<f64>(there);
    const d = load<f64>(there, 8);
    const xr = 0.5 * (a + c);
    const xi = 0.5 * (b - d);
    const yr = 0.5 * (b + d);
    const yi = 0.5 * (c - a);
    const re = xr * yr + xi * yi;
    const im = xr * yi - xi * yr;
    store<f64>(to + (<usize>k << 3), re + im);
    store<f64>(to + (<usize>j << 3), re - im);
  }
}

/**
 * Normalised cross-correlation of the packed signal at `packed` for lags 0 … lags, from the transform `z` (m complex numbers)
 * of what `cross` made: divided by the energies of both parts; mirrored to `mirror` negative lags.
 */
export function normaliseCross(packed: usize, z: usize, m: i32, u: usize, size: i32, lags: i32, mirror: i32, r: usize): void {
  let energy: f64 = 0;
  for (let i = 0; i < size; i++) {
    const x = load<f64>(packed + (<usize>i << 4), 8);
    energy += x * x;
  }
  let later = energy;
  for (let lag = 0; lag <= lags; lag++, u += 16) {
    const product = (realPart(z, m, lag, u) + imaginaryPart(z, m, lag, u)) / (2 * <f64>m);
    const scale = energy * later;
    const value = scale > 1e-30 ? product / Math.sqrt(scale) : 0;
    const at = <usize>lag << 3;
    store<f64>(r + at, value);
    if (lag <= mirror) store<f64>(r - at, value);
    const enters = load<f64>(packed + (<usize>(lag + size) << 4), 8);
    const leaves = load<f64>(packed + (<usize>lag << 4), 8);
    later = Math.max(0, later + enters * enters - leaves * leaves);
  }
}
