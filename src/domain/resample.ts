/** Zero crossings of the sinc on either side; 16 keep what aliases below -60 dB. */
const CROSSINGS = 16;
/** Share of the lower Nyquist frequency that passes. */
const PASS = 0.92;
/** Filters of so many places between two samples are kept (11,025 Hz to 16 kHz needs 640); beyond, each is made when needed. */
const MAX_KEPT_FILTERS = 640;
const FULL_SCALE = 32_768;

/** Changes the sampling rate of one stream; holds at most a filter's length of it between calls. */
export type Resampler = { process(samples: Float32Array): Float32Array };

/**
 * Returns a resampler from one rate to another, both whole and above 0: a sinc windowed by Hann (Smith, "Digital Audio
 * Resampling"), without delay: output n is the input at time n / `toHz`, the input being silent before its beginning,
 * rounded to 16 bits. What the last `CROSSINGS` periods would give comes with the next call. Equal rates pass unchanged.
 */
export function createResampler(fromHz: number, toHz: number): Resampler {
  if (fromHz === toHz) return { process: (samples) => samples };
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const step = { by: fromHz / divisor, of: toHz / divisor };
  const cutoff = PASS * Math.min(1, toHz / fromHz);
  const reach = Math.ceil(CROSSINGS / cutoff);
  const filterAt = createFilters(step.of, cutoff, reach);
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
      const count = Math.max(0, Math.floor(((end - 1 - reach) * step.of) / step.by) - next + 1);
      const output = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const place = (next + i) * step.by;
        const whole = Math.floor(place / step.of);
        output[i] = weighted(input, whole - reach - base, filterAt(place - whole * step.of));
      }
      next += count;
      const keepFrom = Math.max(0, Math.floor((next * step.by) / step.of) - reach - base);
      held = input.slice(keepFrom);
      base += keepFrom;
      return output;
    },
  };
}

/** The filters of the places 0, 1, … below `places` between two samples: weights of the `2 × reach + 1` samples around. */
function createFilters(places: number, cutoff: number, reach: number): (place: number) => Float64Array {
  const kept = new Map<number, Float64Array>();
  return (place) => {
    const known = kept.get(place);
    if (known) return known;
    const filter = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
      weightOf(place / places + reach - i, cutoff, reach),
    );
    if (places <= MAX_KEPT_FILTERS) kept.set(place, filter);
    return filter;
  };
}

/** The windowed sinc at `x` samples from its middle. */
function weightOf(x: number, cutoff: number, reach: number): number {
  if (Math.abs(x) > reach) return 0;
  const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (reach + 1));
  const angle = Math.PI * cutoff * x;
  return window * cutoff * (angle === 0 ? 1 : Math.sin(angle) / angle);
}

/** The sum of the input from `from` on, weighted; a whole number of 16 bits / 32,768. */
function weighted(input: Float32Array, from: number, filter: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < filter.length; i++) sum += (input[from + i] ?? 0) * (filter[i] ?? 0);
  return Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sum * FULL_SCALE))) / FULL_SCALE;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
