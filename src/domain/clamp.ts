/** Returns `value`, or the bound that is nearest to it; `low` for what is no number. @param high At least `low`. */
export function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.max(low, Math.min(high, value));
}
