import type { Evaluation } from '../../training/evaluation/result.ts';
import { cleanText } from '../present/cleanText.ts';
import { percentOf } from './chart.ts';
import { labelTable, lastOf, type Table, toTables } from './tables.ts';

/** What was evaluated, and by what; everything that the figures depend on. */
export type EvaluationSource = {
  readonly weights: string;
  readonly seed: number;
  readonly trainedOn: string;
  readonly licence: string;
  readonly backend: string;
};

/** Returns an evaluation as Markdown that shows the charts named beside it. The same evaluation gives the same text. */
export function renderReportMarkdown(
  evaluation: Evaluation,
  source: EvaluationSource,
  charts: readonly { readonly file: string; readonly title: string }[],
): string {
  const { dataset, split, dialogues, utterances, floor, rows, present, sources } = evaluation;
  const last = lastOf(rows);
  const inputs = Object.entries(sources).map(([input, feature]) => `${input} from ${feature ?? 'nothing (absent)'}`);
  return [
    `# ${text(source.weights)} on ${text(dataset)}, split ${text(split)}`,
    '',
    `Weighted F1 **${percentOf(last.metrics.weightedF1)}** (95 % interval ${percentOf(last.interval[0])} – ${percentOf(last.interval[1])}); always the commonest label: ${percentOf(floor)}.`,
    '',
    `- ${utterances} labelled utterances of ${dialogues} dialogues; modalities: ${present.join(', ') || 'none'}`,
    `- inputs: ${text(inputs.join(', '))}`,
    `- weights: seed ${source.seed}, trained on ${text(source.trainedOn)}; licence: ${text(source.licence)}`,
    `- classified utterance by utterance as a live session is, backend ${source.backend}`,
    '- all figures in percent; intervals and differences from 1,000 resamples of whole dialogues, the same for all rows',
    '',
    ...[...toTables(evaluation), labelTable(evaluation)].flatMap(section),
    '## Charts',
    '',
    ...charts.flatMap(({ file, title }) => [`![${text(title)}](${file})`, '']),
  ].join('\n');
}

function section({ title, note, header, rows }: Table): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(text).join(' | ')} |`;
  const rule = `| --- | ${header
    .slice(1)
    .map(() => '---:')
    .join(' | ')} |`;
  return [`## ${title}`, '', note, '', line(header), rule, ...rows.map(line), ''];
}

/** Text in which nothing is taken for Markdown or HTML. */
function text(value: string): string {
  return cleanText(value).replace(/[\\`*_[\]<>|&#]/g, (character) => `\\${character}`);
}
