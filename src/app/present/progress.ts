import { barOf } from './bars.ts';
import type { Paint } from './paint.ts';
import { paintLine, type Span } from './paint.ts';
import type { TextOutput } from './presenter.ts';
import { durationText, percentText } from './wording.ts';

/** What progress is measured with: a clock in ms that only runs forward, and the length of the recording when known. */
export type ProgressOptions = {
  readonly nowMs: () => number;
  readonly durationMs: number | null;
};

/** Shows how far an analysis is. `hide` and `redraw` make room for lines on the same terminal. */
export type Progress = {
  /** Says that the session clock has reached `atMs`; a smaller value than before changes nothing. */
  advance(atMs: number): void;
  hide(): void;
  redraw(): void;
  /** Takes the bar away; on an output that is no terminal, writes how long it all took. */
  close(): void;
};

const REDRAW_EVERY_MS = 100;
const LINE_EVERY_PERCENT = 10;
const LINE_EVERY_MS = 600_000;
const ERASE_LINE = '\r\u001b[2K';

/**
 * Returns a progress bar with percent, speed (times real time) and time left. A terminal gets one line redrawn at most
 * ten times a second; any other output gets a line per 10 % (per 10 min where the length is unknown).
 */
export function createProgress(err: TextOutput, paint: Paint, options: ProgressOptions): Progress {
  const startedMs = options.nowMs();
  const isTerminal = err.isTTY === true;
  let atMs = 0;
  let drawnMs = -Infinity;
  let steps = 0;
  let isShown = false;
  const spans = (): readonly Span[] => progressSpans(atMs, options.nowMs() - startedMs, options.durationMs);
  const hide = (): void => {
    if (isShown) err.write(ERASE_LINE);
    isShown = false;
  };
  const redraw = (): void => {
    if (!isTerminal) return;
    drawnMs = options.nowMs();
    isShown = true;
    err.write(`${ERASE_LINE}${paintLine(spans(), (err.columns ?? 80) - 1, paint)}`);
  };
  const writeStep = (): void => {
    const step = stepOf(atMs, options.durationMs);
    if (step > steps) err.write(`${paintLine(spans().slice(-1), 200, paint).trim()}\n`);
    steps = Math.max(step, steps);
  };
  return {
    advance(reachedMs) {
      atMs = Math.max(atMs, reachedMs);
      if (!isTerminal) writeStep();
      else if (options.nowMs() - drawnMs >= REDRAW_EVERY_MS) redraw();
    },
    hide,
    redraw,
    close() {
      hide();
      if (!isTerminal) err.write(`${endText(atMs, options.nowMs() - startedMs)}\n`);
    },
  };
}

function progressSpans(atMs: number, elapsedMs: number, durationMs: number | null): readonly Span[] {
  const speed = elapsedMs > 0 ? atMs / elapsedMs : 0;
  const speedText = speed > 0 ? `${factorText(speed)} real time` : 'starting';
  if (durationMs === null || durationMs <= 0) return [{ text: ` ${durationText(atMs)} analyzed · ${speedText}` }];
  const ratio = Math.min(1, atMs / durationMs);
  const left = speed > 0 ? ` · ${durationText(Math.max(0, durationMs - atMs) / speed)} left` : '';
  const bar = barOf(ratio, 24);
  return [
    { text: ' analyzing ' },
    { text: bar.filled, style: { colour: { ansi256: 36, ansi16: 32 } } },
    { text: bar.track, style: { dim: true } },
    { text: ` ${percentText(ratio).padStart(5)} · ${speedText}${left}` },
  ];
}

function endText(atMs: number, elapsedMs: number): string {
  const speed = elapsedMs > 0 ? `, ${factorText(atMs / elapsedMs)} real time` : '';
  return `analyzed ${durationText(atMs)} in ${durationText(elapsedMs)}${speed}`;
}

function stepOf(atMs: number, durationMs: number | null): number {
  if (durationMs === null || durationMs <= 0) return Math.floor(atMs / LINE_EVERY_MS);
  return Math.floor((Math.min(1, atMs / durationMs) * 100 + 1e-9) / LINE_EVERY_PERCENT);
}

function factorText(factor: number): string {
  return `${factor >= 10 ? Math.round(factor).toLocaleString('en-US') : factor.toFixed(1)}×`;
}
