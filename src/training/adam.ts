/** Moments of one parameter. */
export type Moments = { readonly m: Float32Array; readonly v: Float32Array };

/** Settings of one update. `step` counts from 1. */
export type AdamStep = { readonly step: number; readonly learningRate: number; readonly weightDecay: number };

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Moments of a parameter not yet updated. */
export function newMoments(size: number): Moments {
  return { m: new Float32Array(size), v: new Float32Array(size) };
}

/**
 * Updates `values` in place: Adam with decoupled weight decay. Runs on the host: one pass, instead of some ten tensor
 * operations per parameter, and its state is plain arrays that a checkpoint keeps exactly.
 * Source: Kingma & Ba 2015, arXiv 1412.6980; Loshchilov & Hutter 2019, arXiv 1711.05101.
 */
export function adamUpdate(
  values: Float32Array,
  gradient: Float32Array,
  moments: Moments,
  settings: AdamStep,
  from = 0,
): void {
  const { step, learningRate, weightDecay } = settings;
  const { m, v } = moments;
  const kept = 1 - learningRate * weightDecay;
  const rate = (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step);
  for (let i = 0; i < gradient.length; i++) {
    const at = from + i;
    const g = gradient[i] as number;
    const mi = BETA1 * (m[at] as number) + (1 - BETA1) * g;
    const vi = BETA2 * (v[at] as number) + (1 - BETA2) * g * g;
    m[at] = mi;
    v[at] = vi;
    values[at] = (values[at] as number) * kept - (rate * mi) / (Math.sqrt(vi) + EPSILON);
  }
}

/** Updates only the rows that have a gradient ("lazy" Adam): rows of an embedding that a batch did not use stay as they are. */
export function adamUpdateRows(
  values: Float32Array,
  rows: ReadonlyMap<number, Float32Array>,
  moments: Moments,
  settings: AdamStep,
): void {
  for (const [row, gradient] of rows) adamUpdate(values, gradient, moments, settings, row * gradient.length);
}

/** Scales gradients in place so that their joint length is at most `limit`; returns the length before. */
export function clipGradients(gradients: Iterable<Float32Array>, limit: number): number {
  const list = [...gradients];
  let sum = 0;
  for (const gradient of list) sum += squares(gradient);
  const norm = Math.sqrt(sum);
  const scale = limit / norm;
  if (norm > limit)
    for (const gradient of list)
      for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * scale;
  return norm;
}

/** By index: an iterator over an array of numbers costs several times as much. */
function squares(gradient: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += (gradient[i] as number) ** 2;
  return sum;
}

/** Learning-rate factor: linear warm-up, then a half cosine down to 5 % at `totalSteps`. */
export function schedule(step: number, warmUpSteps: number, totalSteps: number): number {
  if (step < warmUpSteps) return (step + 1) / warmUpSteps;
  const progress = Math.min(1, (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps));
  return 0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * progress));
}
