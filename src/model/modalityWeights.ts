import { MODALITIES, type PerModality, perModality } from '../domain/modality.ts';
import { type Mode, MODES, modeOf } from './config.ts';
import { PAIRS } from './fusion.ts';

/**
 * The share of each modality in one fused result: for every mode, the mean of its coefficients in F over blocks and
 * dimensions; a substituted mode's share goes to the modes it was made from, in proportion to their shares; the visual
 * share is divided between face and body by their availability [our decision]. Absent modalities are exactly 0, the rest
 * sum to 1. Source: METHOD.md section 4.
 * @param gates mean gate of each pair, in the order of PAIRS
 * @param modeShares share of each mode, 0 = substituted
 * @param shares share of each modality, in the order of MODALITIES
 */
export function toModalityWeights(
  gates: ArrayLike<number>,
  modeShares: ReadonlyMap<Mode, number>,
  shares: ArrayLike<number>,
): PerModality<number> {
  const share = (mode: Mode): number => modeShares.get(mode) ?? 0;
  const credit = new Map<Mode, number>(MODES.map((mode) => [mode, 0]));
  const add = (mode: Mode, amount: number): void => {
    if (share(mode) > 0) {
      credit.set(mode, (credit.get(mode) as number) + amount);
      return;
    }
    const sources = MODES.filter((other) => share(other) > 0);
    const total = sources.reduce((sum, other) => sum + share(other), 0);
    for (const other of sources) credit.set(other, (credit.get(other) as number) + (amount * share(other)) / total);
  };
  PAIRS.forEach(([m, n], i) => {
    const alpha = gates[i] as number;
    const part = 1 / (MODES.length * (MODES.length - 1));
    add(m, part * (1 - alpha));
    add(n, part * alpha);
  });
  const total = MODES.reduce((sum, mode) => sum + (credit.get(mode) as number), 0);
  return perModality((modality) => {
    const mode = modeOf(modality);
    const own = shares[MODALITIES.indexOf(modality)] as number;
    if (share(mode) === 0 || own === 0) return 0;
    const streams = MODALITIES.filter((other) => modeOf(other) === mode);
    const sum = streams.reduce((s, other) => s + (shares[MODALITIES.indexOf(other)] as number), 0);
    return ((credit.get(mode) as number) / total) * (own / sum);
  });
}
