/** Rate of all audio behind the ingest, in Hz. */
export const TARGET_RATE_HZ = 16_000;
/** Zero crossings of the sinc on either side; 16 keep what aliases below -60 dB. */
const CROSSINGS = 16;
/** Share of the lower Nyquist frequency that passes. */
const PASS = 0.92;
/** Places between two samples for which the filter is tabulated; 441 : 160 and 11,025 Hz need no more. */
const MAX_PHASES = 640;
const FULL_SCALE = 32_768;

/** Changes the sampling rate of one stream; holds at most a filter's length of it between calls. */
export type Resampler = { process(samples: Float32Array): Float32Array };

/**
 * Returns a resampler from `rateHz`, a whole number, to 16 kHz: a sinc windowed by Hann (Smith, "Digital Audio Resampling"),
 * without delay: output n is the input at time n / 16,000, the input being silent before its beginning, rounded to 16 bits.
 * What the last `CROSSINGS` periods would give comes with the next call. 16 kHz passes unchanged.
 */
export function createResampler(rateHz: number): Resampler {
  if (rateHz === TARGET_RATE_HZ) return { process: (samples) => samples };
  const divisor = greatestDivisor(rateHz, TARGET_RATE_HZ);
  const phases = TARGET_RATE_HZ / divisor;
  const advance = rateHz / divisor;
  const filter = createFilter(rateHz, phases);
  const { reach } = filter;
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
      const count = Math.max(0, Math.floor(((end - 1 - reach) * phases) / advance) - next + 1);
      const output = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const at = (next + i) * advance;
        output[i] = filter.valueAt(input, Math.floor(at / phases) - base, at % phases);
      }
      next += count;
      const keepFrom = Math.max(0, Math.floor((next * advance) / phases) - reach - base);
      held = input.slice(keepFrom);
      base += keepFrom;
      return output;
    },
  };
}

type Filter = {
  readonly reach: number;
  /** The input `phase` of the phases after place `at`. */
  valueAt(input: Float32Array, at: number, phase: number): number;
};

/** The windowed sinc, from a table where there are few enough phases. */
function createFilter(rateHz: number, phases: number): Filter {
  const cutoff = PASS * Math.min(1, TARGET_RATE_HZ / rateHz);
  const reach = Math.ceil(CROSSINGS / cutoff);
  const taps = 2 * reach + 1;
  const weightsOf = (phase: number): Float32Array =>
    Float32Array.from({ length: taps }, (_, tap) => {
      const x = phase / phases - (tap - reach);
      if (Math.abs(x) > reach) return 0;
      const angle = Math.PI * cutoff * x;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (reach + 1));
      return (window * cutoff * (angle === 0 ? 1 : Math.sin(angle))) / (angle === 0 ? 1 : angle);
    });
  const table = Array.from({ length: phases <= MAX_PHASES ? phases : 0 }, (_, phase) => weightsOf(phase));
  return {
    reach,
    valueAt: (input, at, phase) => {
      const weights = table[phase] ?? weightsOf(phase);
      const first = at - reach;
      let sum = 0;
      for (let tap = Math.max(0, -first); tap < taps; tap++) sum += (weights[tap] ?? 0) * (input[first + tap] ?? 0);
      return Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sum * FULL_SCALE))) / FULL_SCALE;
    },
  };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
