import { createLogUpdate } from 'log-update';
import type { SummaryInsight } from '../../domain/insight.ts';
import { renderLiveScreen } from './liveScreen.ts';
import type { Paint } from './paint.ts';
import type { Presenter, TextOutput } from './presenter.ts';
import { renderSummary } from './summaryScreen.ts';
import { EMPTY_VIEW, reduceView, type ViewState } from './viewState.ts';

/**
 * Returns the live view for a terminal: one region that is redrawn with each insight and with each change of the
 * terminal's size. `close` leaves the last screen standing, prints the summary below it and shows the cursor again.
 */
export function createLiveView(out: TextOutput, paint: Paint): Presenter {
  const update = createLogUpdate(out);
  let state: ViewState = EMPTY_VIEW;
  let summary: SummaryInsight | null = null;
  const width = (): number => Math.max(20, out.columns ?? 80);
  const draw = (): void => {
    update(renderLiveScreen(state, { width: width(), height: out.rows ?? 24 }, paint));
  };
  out.on('resize', draw);
  return {
    show(insight) {
      state = reduceView(state, insight);
      if (insight.type === 'summary') summary = insight;
      draw();
    },
    async close() {
      out.removeListener('resize', draw);
      update.done();
      if (summary) out.write(`\n${renderSummary(summary, width(), paint)}\n`);
    },
  };
}
