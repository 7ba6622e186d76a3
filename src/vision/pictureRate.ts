/** The rates that live pictures are looked at, in pictures a second, best first. */
export const PICTURE_RATES: readonly number[] = [10, 5, 2];

/** What a rate is chosen from. Times are those of the pictures, in ms. */
export type RateState = {
  /** Index into {@link PICTURE_RATES}. */
  readonly step: number;
  /** When a picture was last taken to be looked at. */
  readonly takenMs: number | undefined;
  /** Of the pictures taken since the rate last changed, how many had to make way for a newer one, up to a bound. */
  readonly late: number;
  /** When one last had to, or the rate changed. */
  readonly calmSinceMs: number | undefined;
};

/** Best rate, nothing known. */
export const FIRST_RATE: RateState = { step: 0, takenMs: undefined, late: 0, calmSinceMs: undefined };

/** So many pictures that made way lower the rate. */
const LATE_LIMIT = 3;
/** So long without one raises it. */
const CALM_MS = 10_000;
/** A camera's clock trembles: a picture may come this much before its time. */
const TOLERANCE = 0.9;

/** Returns whether the rate lets a picture of `atMs` through. One that is not after the last is let through: it is `late`. */
export function isDue({ step, takenMs }: RateState, atMs: number): boolean {
  if (takenMs === undefined || atMs <= takenMs) return true;
  return atMs - takenMs >= (TOLERANCE * 1_000) / rateOf(step);
}

/** Returns the state after a picture was taken; `madeWay` says whether another that waited was dropped for it. */
export function afterTaking(state: RateState, atMs: number, madeWay: boolean): RateState {
  const takenMs = Math.max(atMs, state.takenMs ?? atMs);
  const calmSinceMs = state.calmSinceMs ?? atMs;
  if (madeWay) {
    const late = state.late + 1;
    const isLower = late >= LATE_LIMIT && state.step < PICTURE_RATES.length - 1;
    return {
      step: state.step + (isLower ? 1 : 0),
      takenMs,
      late: isLower ? 0 : Math.min(late, LATE_LIMIT),
      calmSinceMs: atMs,
    };
  }
  if (takenMs - calmSinceMs < CALM_MS) return { ...state, takenMs, calmSinceMs };
  return { step: Math.max(0, state.step - 1), takenMs, late: 0, calmSinceMs: takenMs };
}

/** Pictures a second of a step of {@link PICTURE_RATES}. */
export function rateOf(step: number): number {
  return PICTURE_RATES[step] ?? 2;
}
