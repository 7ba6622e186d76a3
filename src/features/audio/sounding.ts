import type { Contour } from './sampled.ts';

/** A stretch of time in seconds. */
export type Interval = { readonly startS: number; readonly endS: number };

const MIN_SOUNDING_S = 0.1;
const MIN_PAUSE_S = 0.3;

/**
 * Returns the stretches of `[0, durationS]` in which the intensity is not below `thresholdDb`: first, sounding stretches
 * shorter than 0.1 s count as silence, then pauses shorter than 0.3 s count as sound. All of it, when the threshold is
 * below the whole contour or the sound is shorter than a pause.
 * Source: Praat manual, "Sound: To TextGrid (silences)...".
 */
export function toSounding(contour: Contour, durationS: number, thresholdDb: number): Interval[] {
  const whole = [{ startS: 0, endS: durationS }];
  if (durationS < MIN_PAUSE_S) return whole;
  const runs = toRuns(contour, durationS, thresholdDb);
  const withoutClicks = join(
    runs.map((run) => (run.isSounding && isShort(run, MIN_SOUNDING_S) ? { ...run, isSounding: false } : run)),
  );
  const withoutGaps = join(
    withoutClicks.map((run) => (!run.isSounding && isShort(run, MIN_PAUSE_S) ? { ...run, isSounding: true } : run)),
  );
  return withoutGaps.filter((run) => run.isSounding).map(({ startS, endS }) => ({ startS, endS }));
}

type Run = Interval & { readonly isSounding: boolean };

function isShort(run: Run, limitS: number): boolean {
  return run.endS - run.startS < limitS;
}

/** Alternating runs of sound and silence; a boundary lies at the first frame of the later run, as in Praat. */
function toRuns({ frames, values }: Contour, durationS: number, thresholdDb: number): Run[] {
  const runs: Run[] = [];
  let startS = 0;
  for (let i = 1; i <= values.length; i++) {
    const isSounding = (values[i - 1] ?? 0) >= thresholdDb;
    const isEnd = i === values.length;
    if (!isEnd && (values[i] ?? 0) >= thresholdDb === isSounding) continue;
    const endS = isEnd ? durationS : frames.firstS + i * frames.stepS;
    runs.push({ startS, endS, isSounding });
    startS = endS;
  }
  return runs;
}

function join(runs: readonly Run[]): Run[] {
  const joined: Run[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last?.isSounding === run.isSounding) joined[joined.length - 1] = { ...last, endS: run.endS };
    else joined.push(run);
  }
  return joined;
}
