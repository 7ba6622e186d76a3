/** What the shape of one power spectrum says, whatever its level. Frequencies in kHz, ratios of power in dB. */
export const SHAPE_COLUMNS = [
  'centroidKhz',
  'spreadKhz',
  'flatness',
  'rollOffKhz',
  'flux',
  'alphaRatioDb',
  'hammarbergDb',
] as const;

/** Writes {@link SHAPE_COLUMNS} of `power` to `out`; `previous` is the spectrum of the frame before, zero when silent. */
export type ToShape = (power: Float64Array, previous: Float64Array, out: Float64Array) => void;

/** Share of the power below the roll-off. */
const ROLL_OFF = 0.85;
/** Bins and bands are floored at this share of the total power (-100 dB and -60 dB). */
const BIN_FLOOR = 1e-10;
const BAND_FLOOR = 1e-6;
/** Bins whose logarithms are taken at once, of their product, which stays above 1e-160. */
const PRODUCT_BINS = 16;

/**
 * Returns the measures of the shape of power spectra of `bins` bins up to half of `sampleRateHz`: centroid; standard
 * deviation about it; flatness (geometric over arithmetic mean, in [0, 1]); frequency below which 85 % of the power lies;
 * flux (half the summed change of the shares of power since the frame before, in [0, 1]); alpha ratio (50–1,000 Hz over
 * 1–5 kHz); Hammarberg index (strongest bin below 2 kHz over strongest of 2–5 kHz).
 * Source: Eyben et al. (2016), "The Geneva minimalistic acoustic parameter set", section 3; flux after Scheirer & Slaney
 * (1997) on shares of power, so that level does not matter.
 */
export function createSpectralShape(sampleRateHz: number, bins: number): ToShape {
  const khzPerBin = sampleRateHz / 2000 / (bins - 1);
  const binOf = (khz: number) => Math.min(bins - 1, Math.round(khz / khzPerBin));
  const edges = { low: binOf(0.05), one: binOf(1), two: binOf(2), five: binOf(5) };
  return (power, previous, out) => {
    const total = sumOf(power, 0, bins);
    const before = sumOf(previous, 0, bins);
    let first = 0;
    let second = 0;
    let logs = 0;
    let change = 0;
    for (let k = 0; k < bins; k++) {
      const p = power[k] ?? 0;
      first += p * k;
      second += p * k * k;
      change += Math.abs(p / total - (before > 0 ? (previous[k] ?? 0) / before : 0));
    }
    for (let k = 1; k < bins;) {
      let product = 1;
      for (const end = Math.min(bins, k + PRODUCT_BINS); k < end; k++)
        product *= Math.max((power[k] ?? 0) / total, BIN_FLOOR);
      logs += Math.log(product);
    }
    const centroid = first / total;
    const arithmetic = Math.max(1 - (power[0] ?? 0) / total, BIN_FLOOR) / (bins - 1);
    out[0] = centroid * khzPerBin;
    out[1] = Math.sqrt(Math.max(0, second / total - centroid * centroid)) * khzPerBin;
    out[2] = Math.min(1, Math.exp(logs / (bins - 1)) / arithmetic);
    out[3] = rollOffBin(power, ROLL_OFF * total) * khzPerBin;
    out[4] = before > 0 ? Math.min(1, 0.5 * change) : 0;
    const floor = BAND_FLOOR * total;
    out[5] = ratioDb(sumOf(power, edges.low, edges.one), sumOf(power, edges.one, edges.five), floor);
    out[6] = ratioDb(maxOf(power, 0, edges.two), maxOf(power, edges.two, edges.five), floor);
  };
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += values[k] ?? 0;
  return sum;
}

function maxOf(values: Float64Array, from: number, to: number): number {
  let max = 0;
  for (let k = from; k < to; k++) max = Math.max(max, values[k] ?? 0);
  return max;
}

function rollOffBin(power: Float64Array, target: number): number {
  let sum = 0;
  for (let k = 0; k < power.length; k++) {
    sum += power[k] ?? 0;
    if (sum >= target) return k;
  }
  return power.length - 1;
}

function ratioDb(a: number, b: number, floor: number): number {
  return 10 * Math.log10(Math.max(a, floor) / Math.max(b, floor));
}
