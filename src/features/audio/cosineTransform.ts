import FFT from 'fft.js';

/** Transforms an even real spectrum, given by its bins 0 … size/2, into `out[lag]` for lags 0 … size/2 - 1. */
export type CosineTransform = (bins: Float64Array, out: Float64Array) => void;

/**
 * Returns the discrete Fourier transform of real sequences of length `size` that are even, such as power spectra; it is real
 * and even too. `size` is a power of two, 8 or more. Not scaled.
 * One real FFT of half the size: even lags are its real part, odd lags the running sum of its imaginary part.
 * Source: Press et al., Numerical Recipes, section 12.4.2 ("Cosine transform"), the identities.
 */
export function createCosineTransform(size: number): CosineTransform {
  const half = size / 2;
  const fft = new FFT(half);
  const folded = new Array<number>(half).fill(0);
  const result = fft.createComplexArray();
  const sine = Float64Array.from({ length: half }, (_, k) => 2 * Math.sin((Math.PI * k) / half));
  const cosine = Float64Array.from({ length: half }, (_, k) => 2 * Math.cos((Math.PI * k) / half));
  return (bins, out) => {
    let odd = (bins[0] ?? 0) - (bins[half] ?? 0);
    for (let k = 0; k < half; k++) {
      const here = bins[k] ?? 0;
      const mirrored = bins[half - k] ?? 0;
      folded[k] = here + mirrored + (sine[k] ?? 0) * (here - mirrored);
      if (k > 0) odd += (cosine[k] ?? 0) * here;
    }
    fft.realTransform(result, folded);
    for (let m = 0; m < half / 2; m++) {
      if (m > 0) odd += result[2 * m + 1] ?? 0;
      out[2 * m] = result[2 * m] ?? 0;
      out[2 * m + 1] = odd;
    }
  };
}
