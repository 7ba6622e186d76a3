import { MODALITIES, type Modality, type PerModality } from '../../domain/modality.ts';

/** A horizontal bar in two parts: what is filled, and the track behind it. Together they take the asked width. */
export type Bar = { readonly filled: string; readonly track: string };

/** Returns a bar of `width` cells filled to `ratio` in half cells; ratios outside [0, 1] are brought back into it. */
export function barOf(ratio: number, width: number): Bar {
  const halves = Math.round(Math.min(Math.max(ratio, 0), 1) * width * 2);
  const filled = '━'.repeat(halves >> 1) + (halves % 2 === 1 ? '╸' : '');
  return { filled, track: '─'.repeat(width - filled.length) };
}

/** The letter each modality goes by where there is little room. */
export const MODALITY_LETTERS: PerModality<string> = { text: 'T', audio: 'A', face: 'F', body: 'B' };

const HEIGHTS = '▁▂▃▄▅▆▇';

/**
 * Returns modality weights as bars that share `cells` cells, as in `T▇▇▇▅ A▇▇▃`: whole cells are high, the last one as
 * high as the rest. Absent modalities (weight 0) are left out.
 */
export function weightBars(weights: PerModality<number>, cells: number): string {
  return presentOf(weights)
    .map((modality) => {
      const share = weights[modality] * cells;
      const whole = Math.floor(share + 1e-9);
      const rest = Math.round((share - whole) * HEIGHTS.length);
      const last = rest > 0 ? HEIGHTS.charAt(rest - 1) : whole === 0 ? HEIGHTS.charAt(0) : '';
      return MODALITY_LETTERS[modality] + '▇'.repeat(whole) + last;
    })
    .join(' ');
}

/** Returns modality weights as one cell per modality, as in `T▅A▃`. Absent modalities (weight 0) are left out. */
export function weightCells(weights: PerModality<number>): string {
  return presentOf(weights)
    .map((modality) => {
      const step = Math.min(Math.max(Math.round(weights[modality] * HEIGHTS.length), 1), HEIGHTS.length);
      return MODALITY_LETTERS[modality] + HEIGHTS.charAt(step - 1);
    })
    .join('');
}

function presentOf(weights: PerModality<number>): readonly Modality[] {
  return MODALITIES.filter((modality) => weights[modality] > 0);
}
