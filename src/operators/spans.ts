/** A stretch of session time, `startMs` < `endMs`. */
export type Span = { readonly startMs: number; readonly endMs: number };

/** How many ms two spans have in common; 0 when they only touch. */
export function overlapMs(a: Span, b: Span): number {
  return Math.max(0, Math.min(a.endMs, b.endMs) - Math.max(a.startMs, b.startMs));
}

/** The parts of `within` covered by any of `spans`: sorted, disjoint, clipped. */
export function coveredBy(spans: readonly Span[], within: Span): readonly Span[] {
  const clipped = spans
    .map(({ startMs, endMs }) => ({
      startMs: Math.max(startMs, within.startMs),
      endMs: Math.min(endMs, within.endMs),
    }))
    .filter(({ startMs, endMs }) => endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs);
  const merged: Span[] = [];
  for (const span of clipped) {
    const last = merged.at(-1);
    if (last !== undefined && span.startMs <= last.endMs) {
      merged[merged.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, span.endMs) };
    } else merged.push(span);
  }
  return merged;
}

/** The parts of `within` that none of `covered` covers, where `covered` is what {@link coveredBy} returns. */
export function uncovered(covered: readonly Span[], within: Span): readonly Span[] {
  const free: Span[] = [];
  let fromMs = within.startMs;
  for (const span of covered) {
    if (span.startMs > fromMs) free.push({ startMs: fromMs, endMs: span.startMs });
    fromMs = Math.max(fromMs, span.endMs);
  }
  if (fromMs < within.endMs) free.push({ startMs: fromMs, endMs: within.endMs });
  return free;
}

/** The summed length of disjoint spans, in ms. */
export function totalMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}
