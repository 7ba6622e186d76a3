import { besselI0 } from './besselI0.ts';
import type { SignalKernels } from './kernels/signalKernels.ts';
import { meanOf } from './sampled.ts';

/** Samples that must be valid before lag 0 and after the last searched lag: half the length of the interpolation kernel. */
export const KERNEL_HALF = 24;
/** Shape of the Kaiser window: ripple of 1e-4 below nine tenths of half the sample rate. */
const BETA = 8;

const PHASES = 16;
const TAPS = 2 * KERNEL_HALF;

/** Refines the local maximum at sample `i` of `values`: afterwards `index` and `value` describe the interpolated maximum. */
export type PeakRefiner = {
  /** Fractional sample of the last refined maximum. */
  index: number;
  /** Interpolated value there. */
  value: number;
  refine(values: Float64Array, i: number): void;
};

/**
 * Returns a refiner of maxima by band-limited interpolation: a Kaiser-windowed sinc of 48 taps, tabulated at sixteenths of
 * a sample, and a parabola through the three best of them. Needs `KERNEL_HALF` valid samples on both sides of the maximum, in
 * the memory of the kernels.
 * Source: Boersma (1993), "Accurate short-term analysis of the fundamental frequency …", eq. 22, with a shorter kernel.
 */
export function createPeakRefiner(kernels: SignalKernels): PeakRefiner {
  const kernel = kernels.doubles(PHASES * TAPS);
  kernel.set(sincTable());
  const at = (values: Float64Array, position: number) => {
    const base = Math.floor(position / PHASES);
    const row = (position - base * PHASES) * TAPS;
    const first = base - KERNEL_HALF + 1;
    return kernels.run.dot(kernel.byteOffset + 8 * row, values.byteOffset + 8 * first, TAPS);
  };
  const refiner: PeakRefiner = {
    index: 0,
    value: 0,
    refine(values, i) {
      let best =
        Math.round(parabolaVertex(values[i - 1] ?? 0, values[i] ?? 0, values[i + 1] ?? 0) * PHASES) + i * PHASES;
      let left = at(values, best - 1);
      let here = at(values, best);
      let right = at(values, best + 1);
      for (let moves = 0; moves < PHASES && (left > here || right > here); moves++) {
        if (right > left) [left, here, right] = [here, right, at(values, ++best + 1)];
        else [left, here, right] = [at(values, --best - 1), left, here];
      }
      const offset = parabolaVertex(left, here, right);
      refiner.index = (best + offset) / PHASES;
      refiner.value = here + 0.25 * (right - left) * offset;
    },
  };
  return refiner;
}

/** Place of the vertex relative to the middle sample, in [-1, 1]; 0 when the three are level. */
function parabolaVertex(left: number, here: number, right: number): number {
  const curvature = 2 * here - left - right;
  return curvature > 0 ? Math.min(1, Math.max(-1, (0.5 * (right - left)) / curvature)) : 0;
}

function sincTable(): Float64Array {
  const table = new Float64Array(PHASES * TAPS);
  for (let phase = 0; phase < PHASES; phase++) {
    for (let k = 0; k < TAPS; k++) {
      const x = phase / PHASES - (k - KERNEL_HALF + 1);
      const u = x / KERNEL_HALF;
      const window = besselI0(BETA * Math.sqrt(Math.max(0, 1 - u * u))) / besselI0(BETA);
      table[phase * TAPS + k] = x === 0 ? 1 : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
    }
    // Each row sums to 1, so that no phase is favoured on the flat top of a low-frequency maximum.
    const row = table.subarray(phase * TAPS, (phase + 1) * TAPS);
    row.set(row.map((w) => w / meanOf(row) / TAPS));
  }
  return table;
}
