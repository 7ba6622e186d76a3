import type { TextOutput } from '../present/presenter.ts';
import { durationText } from '../present/wording.ts';

/** Shows how far an evaluation is, and takes that away at the end. */
export type EvaluationProgress = {
  readonly update: (done: number, total: number) => void;
  readonly close: () => void;
};

const REDRAW_EVERY_MS = 200;
const LINE_EVERY_MS = 10_000;

/**
 * Returns progress in percent with the time left. A terminal gets one line that is drawn again five times a second; any
 * other output gets a line every ten seconds, and so nothing at all for a short run.
 */
export function createEvaluationProgress(err: TextOutput, nowMs: () => number): EvaluationProgress {
  const isTerminal = err.isTTY === true;
  const startMs = nowMs();
  let drawnMs = isTerminal ? -Infinity : startMs;
  let isShown = false;
  return {
    update(done, total) {
      const now = nowMs();
      if (now - drawnMs < (isTerminal ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return;
      drawnMs = now;
      isShown = isTerminal;
      const left = ((now - startMs) / Math.max(1, done)) * (total - done);
      const line = `evaluating ${Math.floor((100 * done) / Math.max(1, total))} %, about ${durationText(left)} left`;
      err.write(isTerminal ? `\r\u001b[2K${line}` : `${line}\n`);
    },
    close() {
      if (isShown) err.write('\r\u001b[2K');
      isShown = false;
    },
  };
}
