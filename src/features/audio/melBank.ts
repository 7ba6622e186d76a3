/** Mel-frequency cepstral coefficients 1 … `count` of a power spectrum, written to `out`; coefficient 0 (level) is left out. */
export type ToCepstrum = (power: Float64Array, out: Float64Array) => void;

const BANDS = 26;
const LOWEST_HZ = 60;
/** Bands are floored at this share of the loudest one (-60 dB), so that a change of level changes no coefficient. */
const FLOOR = 1e-6;

/**
 * Returns the cepstrum maker for power spectra of `fftSize` / 2 + 1 bins: 26 triangular mel bands from 60 Hz to half the
 * sample rate, natural logarithm, orthonormal DCT-II.
 * Source: Davis & Mermelstein (1980), "Comparison of parametric representations …", with mel = 2595 log10(1 + f / 700).
 */
export function createMelBank(sampleRateHz: number, fftSize: number, count: number): ToCepstrum {
  const bands = layBands(sampleRateHz, fftSize);
  const energies = new Float64Array(BANDS);
  const basis = Float64Array.from({ length: count * BANDS }, (_, i) => {
    const order = Math.floor(i / BANDS) + 1;
    return Math.sqrt(2 / BANDS) * Math.cos((Math.PI * order * ((i % BANDS) + 0.5)) / BANDS);
  });
  return (power, out) => {
    let loudest = 0;
    for (let b = 0; b < BANDS; b++) {
      const { first, weights } = bands[b] ?? EMPTY_BAND;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] ?? 0) * (power[first + k] ?? 0);
      energies[b] = sum;
      loudest = Math.max(loudest, sum);
    }
    const floor = Math.max(loudest * FLOOR, Number.MIN_VALUE);
    for (let b = 0; b < BANDS; b++) energies[b] = Math.log(Math.max(energies[b] ?? 0, floor));
    for (let c = 0; c < count; c++) {
      let sum = 0;
      for (let b = 0; b < BANDS; b++) sum += (basis[c * BANDS + b] ?? 0) * (energies[b] ?? 0);
      out[c] = sum;
    }
  };
}

type Band = { readonly first: number; readonly weights: Float64Array };
const EMPTY_BAND: Band = { first: 0, weights: new Float64Array(0) };

function layBands(sampleRateHz: number, fftSize: number): Band[] {
  const low = toMel(LOWEST_HZ);
  const step = (toMel(sampleRateHz / 2) - low) / (BANDS + 1);
  const edge = (i: number) => (fromMel(low + i * step) * fftSize) / sampleRateHz;
  return Array.from({ length: BANDS }, (_, b) => {
    const [left, centre, right] = [edge(b), edge(b + 1), edge(b + 2)];
    const first = Math.ceil(left);
    const weights = Float64Array.from({ length: Math.floor(right) - first + 1 }, (_, k) =>
      Math.max(0, Math.min((first + k - left) / (centre - left), (right - first - k) / (right - centre))),
    );
    return { first, weights };
  });
}

function toMel(hz: number): number {
  return 2595 * Math.log10(1 + hz / 700);
}

function fromMel(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
