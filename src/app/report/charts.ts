import type { Evaluation, EvaluationRow } from '../../training/evaluation/result.ts';
import { type Bar, renderBarsSvg } from './barsSvg.ts';
import { MAX_DRAWN_LABELS, renderConfusionSvg } from './confusionSvg.ts';
import { type Line, renderLinesSvg } from './linesSvg.ts';
import { renderReliabilitySvg } from './reliabilitySvg.ts';
import { lastOf, lookAheadText } from './tables.ts';

/** A drawing of a report and the name of its file. */
export type Chart = { readonly file: string; readonly title: string; readonly svg: string };

const AXIS = 'weighted F1 (%)';

/** Returns the charts of whatever the evaluation measured. */
export function toCharts(evaluation: Evaluation): Chart[] {
  const { dataset, split, labels, rows } = evaluation;
  const last = lastOf(rows);
  const where = `${dataset} ${split}`;
  const charts: Chart[] = [];
  const add = (file: string, title: string, draw: (title: string) => string): void =>
    void charts.push({ file, title, svg: draw(title) });
  if (labels.length <= MAX_DRAWN_LABELS)
    add('confusion.svg', `Confusion matrix, ${where}`, (title) =>
      renderConfusionSvg(title, labels, last.metrics.confusion),
    );
  add('reliability.svg', `Confidence and accuracy, ${where}`, (title) => renderReliabilitySvg(title, last.bins));
  add('look-ahead.svg', `Weighted F1 by look-ahead, ${where}`, (title) => lookAheadSvg(title, evaluation));
  if (evaluation.subsets)
    add('subsets.svg', `Weighted F1 by modalities shown, ${where}`, (title) => subsetsSvg(title, evaluation));
  if (evaluation.rates)
    add('missing-rates.svg', `Weighted F1 with modalities missing at random, ${where}`, (title) =>
      ratesSvg(title, evaluation),
    );
  return charts;
}

const floorOf = ({ floor }: Evaluation): { name: string; value: number } => ({
  name: 'commonest label',
  value: floor,
});

function lookAheadSvg(title: string, evaluation: Evaluation): string {
  return renderLinesSvg({
    title,
    axis: { x: 'later utterances seen', y: AXIS },
    places: evaluation.rows.map(({ lookAhead }) => lookAheadText(lookAhead)),
    lines: [{ name: 'everything shown', points: evaluation.rows.map(barOf) }],
    floor: floorOf(evaluation),
  });
}

function subsetsSvg(title: string, evaluation: Evaluation): string {
  return renderBarsSvg({
    title,
    axis: `${AXIS}, with the 95 % interval over dialogues`,
    series: ['missing ones masked', 'zero-filled'],
    rows: (evaluation.subsets ?? []).map(({ shown, rows, zeroFilled }) => ({
      name: shown.join(' + '),
      bars: [barOf(lastOf(rows)), zeroFilled && barOf(lastOf(zeroFilled))],
    })),
    floor: floorOf(evaluation),
  });
}

function ratesSvg(title: string, evaluation: Evaluation): string {
  const results = evaluation.rates?.results ?? [];
  const { lookAhead: most } = lastOf(evaluation.rows);
  const lines: Line[] = [
    {
      name: Number.isFinite(most) ? `after ${most} later utterances` : 'after the whole dialogue',
      points: results.map(({ rows }) => barOf(lastOf(rows))),
    },
  ];
  const least = evaluation.rows[0]?.lookAhead ?? most;
  if (least !== most)
    lines.push({
      name: least === 0 ? 'at once' : `after ${least} later utterances`,
      points: results.flatMap(({ rows }) => rows.slice(0, 1).map(barOf)),
    });
  return renderLinesSvg({
    title,
    axis: { x: 'chance of a modality to be missing', y: AXIS },
    places: results.map(({ rate }) => rate.toFixed(1)),
    lines,
    floor: floorOf(evaluation),
  });
}

function barOf({ metrics, interval }: EvaluationRow): Bar {
  return { value: metrics.weightedF1, interval };
}
