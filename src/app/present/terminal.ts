import type { Insight } from '../../domain/insight.ts';
import { createLastingAnswers } from '../../domain/lastingAnswers.ts';
import { createLineView } from './lineView.ts';
import { createLiveView } from './liveView.ts';
import { colourDepth, createPaint } from './paint.ts';
import type { Presenter, TextOutput } from './presenter.ts';
import { createProgress } from './progress.ts';

/** What decides how a session is shown. */
export type TerminalOptions = {
  readonly out: TextOutput;
  readonly err: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `max` means as fast as possible: lines and a progress bar in place of the live view. */
  readonly speed: number | 'max';
  readonly durationMs: number | null;
  /** Wall clock in ms, for speed and time left. */
  readonly nowMs: () => number;
};

/** A presenter that may also be told how far the session clock is, between insights. */
export type TerminalView = Presenter & { advance(atMs: number): void };

/**
 * Returns the view that fits: live when `out` is a terminal and the session runs at a human speed; otherwise lines, with
 * a progress bar on `err` when it runs as fast as possible. Text from the conversation is stripped of control characters.
 */
export function createTerminalView(options: TerminalOptions): TerminalView {
  const { out, err, env, speed } = options;
  const paint = createPaint(colourDepth(out, env));
  if (speed !== 'max') {
    const view = out.isTTY === true ? createLiveView(out, paint) : createLineView(out, err, paint);
    return { ...view, advance: () => undefined };
  }
  return withProgress(createLineView(out, err, paint), options);
}

function withProgress(view: Presenter, { err, env, nowMs, durationMs }: TerminalOptions): TerminalView {
  const progress = createProgress(err, createPaint(colourDepth(err, env)), { nowMs, durationMs });
  const answers = createLastingAnswers();
  let isOver = false;
  const writesLine = (insight: Insight): boolean =>
    insight.type === 'modality' ||
    insight.type === 'fault' ||
    (insight.type === 'utterance' && answers.isLasting(insight));
  const end = (): void => {
    if (!isOver) progress.close();
    isOver = true;
  };
  return {
    advance: (atMs) => progress.advance(atMs),
    show(insight) {
      if (insight.type === 'summary') {
        progress.advance(insight.durationMs);
        end();
        view.show(insight);
        return;
      }
      if (!writesLine(insight)) return progress.advance(insight.atMs);
      progress.hide();
      view.show(insight);
      progress.advance(insight.atMs);
      progress.redraw();
    },
    async close() {
      end();
      await view.close();
    },
  };
}
