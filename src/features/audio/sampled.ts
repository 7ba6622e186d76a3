/**
 * A mono recording. `samples` in [-1, 1] are read as pascals, as Praat does, so 0 dB is 20 µPa. `peak` is the largest
 * distance of a sample from the mean of all; 0 for silence and constants.
 */
export type Sound = { readonly samples: Float32Array; readonly sampleRateHz: number; readonly peak: number };

/** Returns `samples` as a {@link Sound}; its peak is NaN or infinite when a sample is. */
export function toSound(samples: Float32Array, sampleRateHz: number): Sound {
  const mean = localMean(samples, 0, samples.length);
  let peak = 0;
  for (let i = 0; i < samples.length; i++) peak = Math.max(peak, Math.abs((samples[i] ?? 0) - mean));
  return { samples, sampleRateHz, peak };
}

/** Times of the frames of a short-term analysis, in seconds: `firstS + i * stepS` for `i < count`. */
export type Frames = { readonly count: number; readonly firstS: number; readonly stepS: number };

/** Values at equal steps of time; `values[i]` belongs to `frames.firstS + i * frames.stepS`. */
export type Contour = { readonly frames: Frames; readonly values: Float64Array };

/** A possibly interpolated extremum: its place in (fractional) samples and its value. */
export type Extremum = { readonly index: number; readonly value: number };

/** Returns the length of `sound` in seconds. */
export function durationOf(sound: Sound): number {
  return sound.samples.length / sound.sampleRateHz;
}

/**
 * Returns as many frames of `windowS` at steps of `stepS` as fit into `durationS`, centred in it; none when it is too short.
 * Source: Praat manual, "Intro 4.2: configuring the pitch contour" and "Sound: To Intensity...".
 */
export function layFrames(durationS: number, windowS: number, stepS: number): Frames {
  const count = durationS < windowS ? 0 : Math.floor((durationS - windowS) / stepS) + 1;
  return { count, firstS: 0.5 * (durationS - (count - 1) * stepS), stepS };
}

/** Returns the vertex of the parabola through three neighbours around `index`; the sample itself when they are level. */
export function parabolicExtremum(values: ArrayLike<number>, index: number): Extremum {
  const here = values[index] ?? 0;
  const left = values[index - 1] ?? here;
  const right = values[index + 1] ?? here;
  const slope = 0.5 * (right - left);
  const curvature = 2 * here - left - right;
  if (curvature === 0) return { index, value: here };
  return { index: index + slope / curvature, value: here + (0.5 * slope * slope) / curvature };
}

/**
 * Returns the value of cubic interpolation (Hermite, slopes by central differences) at fractional `index`.
 * Outside the samples it is the first or last value.
 */
export function interpolateCubic(values: Float64Array, index: number): number {
  const last = values.length - 1;
  const left = Math.min(Math.max(Math.floor(index), 0), last);
  const at = (i: number) => values[Math.min(Math.max(i, 0), last)] ?? 0;
  const t = Math.min(Math.max(index - left, 0), 1);
  const y0 = at(left);
  const y1 = at(left + 1);
  const m0 = 0.5 * (y1 - at(left - 1));
  const m1 = 0.5 * (at(left + 2) - y0);
  const t2 = t * t;
  const t3 = t2 * t;
  return (2 * t3 - 3 * t2 + 1) * y0 + (t3 - 2 * t2 + t) * m0 + (3 * t2 - 2 * t3) * y1 + (t3 - t2) * m1;
}

/** Returns the `q` quantile, `q` in [0, 1], interpolated between order statistics placed at (i + 0.5) / n; NaN when empty. */
export function quantile(values: Float64Array, q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.slice().sort();
  const place = Math.min(Math.max(q * sorted.length - 0.5, 0), sorted.length - 1);
  const left = Math.floor(place);
  const low = sorted[left] ?? 0;
  return low + (place - left) * ((sorted[left + 1] ?? low) - low);
}

/** Returns the mean; NaN when empty. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
}

/** Returns the standard deviation of the population (divided by n, not n - 1); NaN when empty. */
export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] ?? 0) - mean) ** 2;
  return Math.sqrt(sum / values.length);
}

/** Returns the mean of the samples from `start` to before `end`, both clipped to the sound. */
export function localMean(samples: Float32Array, start: number, end: number): number {
  const from = Math.max(0, start);
  const to = Math.min(samples.length, end);
  let sum = 0;
  for (let i = from; i < to; i++) sum += samples[i] ?? 0;
  return sum / Math.max(1, to - from);
}
