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
    rows.set(input.name, augmentRows(other && random() < 0.5 ? other : own, rowWidth(input), augment, random));
  }
  return { ...utterance, rows };
}

/**
 * Changes normalised rows `[n × width]` at random: cuts off ends, shifts columns, masks a block of them with 0 (the mean),
 * adds noise. At least one row is left. Nothing is changed in place.
 */
export function augmentRows(
  rows: Float32Array,
  width: number,
  { noise, crop, columnMask, shift }: Augmentation,
  random: Random,
): Float32Array {
  const cut = crop > 0 ? cropRows(rows, width, crop, random) : rows;
  const out = Float32Array.from(cut);
  if (shift > 0) {
    const offsets = Float32Array.from({ length: width }, () => shift * normal(random));
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + (offsets[i % width] as number);
  }
  if (noise > 0) for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + noise * normal(random);
  if (columnMask > 0 && random() < columnMask) {
    const size = 1 + Math.floor((random() * width) / 8);
    const first = Math.floor(random() * (width - size + 1));
    for (let at = 0; at < out.length; at += width) out.fill(0, at + first, at + first + size);
  }
  return out;
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
