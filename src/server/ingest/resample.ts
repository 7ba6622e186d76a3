/** Rate of all audio behind the ingest, in Hz. */
export const TARGET_RATE_HZ = 16_000;
/** Zero crossings of the sinc on either side; 16 keep what aliases below -60 dB. */
const CROSSINGS = 16;
/** Share of the lower Nyquist frequency that passes. */
const PASS = 0.92;

/** Changes the sampling rate of one stream; holds at most a filter's length of it between calls. */
export type Resampler = { process(samples: Float32Array): Float32Array };

/**
 * Returns a resampler from `rateHz` to 16 kHz: a sinc windowed by Hann (Smith, "Digital Audio Resampling"), without delay:
 * output n is the input at time n / 16,000, the input being silent before its beginning. What the last `CROSSINGS` periods
 * would give comes with the next call. 16 kHz passes unchanged.
 */
export function createResampler(rateHz: number): Resampler {
  if (rateHz === TARGET_RATE_HZ) return { process: (samples) => samples };
  const step = rateHz / TARGET_RATE_HZ;
  const cutoff = PASS * Math.min(1, TARGET_RATE_HZ / rateHz);
  const reach = Math.ceil(CROSSINGS / cutoff);
  let held = new Float32Array(reach);
  /** Place in the input of `held[0]`, and number of the next output. */
  let base = -reach;
  let next = 0;
  return {
    process: (samples) => {
      const input = new Float32Array(held.length + samples.length);
      input.set(held);
      input.set(samples, held.length);
      const end = base + input.length;
      const count = Math.max(0, Math.floor((end - 1 - reach) / step) - next + 1);
      const output = new Float32Array(count);
      for (let i = 0; i < count; i++) output[i] = valueAt(input, (next + i) * step - base, { cutoff, reach });
      next += count;
      const keepFrom = Math.max(0, Math.floor(next * step) - reach - base);
      held = input.slice(keepFrom);
      base += keepFrom;
      return output;
    },
  };
}

/** The input at place `at` (between samples), by the windowed sinc. */
function valueAt(input: Float32Array, at: number, filter: { readonly cutoff: number; readonly reach: number }): number {
  const { cutoff, reach } = filter;
  const from = Math.max(0, Math.ceil(at - reach));
  const to = Math.min(input.length - 1, Math.floor(at + reach));
  let sum = 0;
  for (let i = from; i <= to; i++) {
    const x = at - i;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (reach + 1));
    const angle = Math.PI * cutoff * x;
    sum += (input[i] ?? 0) * window * cutoff * (angle === 0 ? 1 : Math.sin(angle) / angle);
  }
  return Math.max(-1, Math.min(1, sum));
}
