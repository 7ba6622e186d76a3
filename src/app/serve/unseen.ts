/** Which stretches of a live stream nobody looked at, though its pictures came. Times are those of the pictures, in ms. */
export type Unseen = {
  /** A picture came: returns the times that must be declared as not looked at by now. */
  came(atMs: number): readonly number[];
  /** A picture was looked at, or it is known why not: returns the times before it that were not. */
  seen(atMs: number): readonly number[];
};

/** What is seen at a time stands for 300 ms before and after it: stretches are declared by times so far apart. */
const STEP_MS = 600;
/** A stretch that a picture on its way may still cover is declared so long after its time. */
const LATE_MS = 900;
/** No picture for this long: that none came is not for us to declare. */
const PAUSE_MS = 1_000;

/** Returns the account of a stream of which nothing came. */
export function createUnseen(): Unseen {
  let coveredMs: number | undefined;
  let cameMs = -Infinity;
  const declareUntil = (untilMs: number): number[] => {
    const times: number[] = [];
    while (coveredMs !== undefined && coveredMs + STEP_MS <= untilMs) times.push((coveredMs += STEP_MS));
    return times;
  };
  return {
    came: (atMs) => {
      if (coveredMs === undefined || atMs - cameMs > PAUSE_MS) coveredMs = Math.max(coveredMs ?? -Infinity, atMs);
      cameMs = Math.max(cameMs, atMs);
      return declareUntil(atMs - LATE_MS);
    },
    seen: (atMs) => {
      const times = declareUntil(atMs - STEP_MS / 2);
      coveredMs = Math.max(coveredMs ?? -Infinity, atMs);
      return times;
    },
  };
}
