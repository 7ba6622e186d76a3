import { type ModelConfig, rowWidth } from '../model/config.ts';
import type { Random } from '../model/random.ts';
import type { PreparedUtterance } from './prepare.ts';
import type { Augmentation } from './stageConfig.ts';

/** An utterance with its rows changed at random, or with the alternative rows in place of its own; the same one unchanged. */
export function augmentUtterance(
  model: ModelConfig,
  utterance: PreparedUtterance,
  augment: Augmentation,
  random: Random,
): PreparedUtterance {
  const rows = new Map<string, Float32Array>();
  for (const input of model.inputs) {
    const own = utterance.rows.get(input.name);
    if (!own) continue;
    const other = utterance.alternatives?.get(input.name);
    const chosen = other && random() < 0.5 ? other : own;
    const absolute = input.speakerRelative ? input.dim : 0;
    rows.set(input.name, augmentRows(chosen, { width: rowWidth(input), absolute }, augment, random));
  }
  return { ...utterance, rows };
}

/** Columns of a row: how many, and how many of them, the first, stand again behind them relative to the speaker. */
export type RowLayout = { readonly width: number; readonly absolute: number };

/**
 * Changes normalised rows `[n × width]` at random: cuts off ends, shifts columns, gives the speaker another face or voice at
 * rest (only the absolute columns move), adds noise, masks a block of columns with 0 (the mean). At least one row is left.
 * Nothing is changed in place.
 */
export function augmentRows(
  rows: Float32Array,
  { width, absolute }: RowLayout,
  { noise, crop, columnMask, shift, rest }: Augmentation,
  random: Random,
): Float32Array {
  const cut = crop > 0 ? cropRows(rows, width, crop, random) : rows;
  const out = Float32Array.from(cut);
  if (shift > 0) moveColumns(out, { width, moved: width, deviation: shift }, random);
  if (rest > 0 && absolute > 0) moveColumns(out, { width, moved: absolute, deviation: rest }, random);
  if (noise > 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + noise * normal(random);
  if (columnMask > 0 && random() < columnMask) {
    const size = 1 + Math.floor((random() * width) / 8);
    const first = Math.floor(random() * (width - size + 1));
    for (let at = 0; at < out.length; at += width) out.fill(0, at + first, at + first + size);
  }
  return out;
}

/** Adds one random offset to each of the first `moved` columns, the same in all rows. */
function moveColumns(
  rows: Float32Array,
  { width, moved, deviation }: { readonly width: number; readonly moved: number; readonly deviation: number },
  random: Random,
): void {
  const offsets = Float32Array.from({ length: moved }, () => deviation * normal(random));
  for (let i = 0; i < rows.length; i++) rows[i] = (rows[i] as number) + (offsets[i % width] ?? 0);
}

function cropRows(rows: Float32Array, width: number, crop: number, random: Random): Float32Array {
  const count = rows.length / width;
  const kept = Math.max(1, Math.ceil(count * (1 - crop * random())));
  const first = Math.floor(random() * (count - kept + 1));
  return rows.subarray(first * width, (first + kept) * width);
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
