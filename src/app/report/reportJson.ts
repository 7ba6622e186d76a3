import type { Evaluation, EvaluationRow } from '../../training/evaluation/result.ts';
import type { EvaluationSource } from './reportMarkdown.ts';
import { lastOf } from './tables.ts';

/** Returns an evaluation as one JSON value; the look-ahead over the whole dialogue reads `inf`. */
export function toReportJson(evaluation: Evaluation, source: EvaluationSource): object {
  const { subsets, rates, ablations, shuffledSpeakers, others } = evaluation;
  return {
    ...source,
    ...evaluation,
    weightedF1: lastOf(evaluation.rows).metrics.weightedF1,
    rows: toRows(evaluation.rows),
    ...(subsets && {
      subsets: subsets.map(({ shown, rows, zeroFilled }) => ({
        shown,
        rows: toRows(rows),
        ...(zeroFilled && { zeroFilled: toRows(zeroFilled) }),
      })),
    }),
    ...(rates && { rates: { ...rates, results: rates.results.map((own) => ({ ...own, rows: toRows(own.rows) })) } }),
    ...(ablations && { ablations: ablations.map((own) => ({ ...own, rows: toRows(own.rows) })) }),
    ...(shuffledSpeakers && { shuffledSpeakers: { ...shuffledSpeakers, rows: toRows(shuffledSpeakers.rows) } }),
    ...(others && { others: others.map((own) => ({ ...own, rows: toRows(own.rows) })) }),
  };
}

function toRows(rows: readonly EvaluationRow[]): object[] {
  return rows.map((row) => ({ ...row, lookAhead: Number.isFinite(row.lookAhead) ? row.lookAhead : 'inf' }));
}
