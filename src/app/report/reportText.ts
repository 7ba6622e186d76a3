import type { Evaluation } from '../../training/evaluation/result.ts';
import { displayWidth } from '../present/textWidth.ts';
import { percentOf } from './chart.ts';
import { labelTable, lastOf, type Table, toTables } from './tables.ts';

/** Returns an evaluation as text for a terminal: the tables below each other, and the F1 of each label. */
export function renderReportText(evaluation: Evaluation): string {
  const { dataset, split, utterances, shown, floor, rows, sources } = evaluation;
  const [main, ...others] = toTables(evaluation);
  const absent = Object.entries(sources).flatMap(([input, source]) => (source === null ? [input] : []));
  const labels = labelTable(evaluation).rows.map(([label, f1]) => `${label} ${f1}`);
  const seen = Number.isFinite(lastOf(rows).lookAhead) ? `look-ahead ${lastOf(rows).lookAhead}` : 'whole dialogue';
  return [
    `${dataset} ${split}: ${utterances} utterances, shown ${shown.join(' + ')}; always the commonest label: wF1 ${percentOf(floor)}`,
    ...(absent.length > 0 ? [`not in this dataset: ${absent.join(', ')}`] : []),
    '',
    ...(main ? tableLines(main, 'right') : []),
    ...others.flatMap((table) => ['', `${table.title}. ${table.note}`, ...tableLines(table, 'left')]),
    '',
    `F1 by label (${seen}): ${labels.join(', ')}`,
  ].join('\n');
}

function tableLines({ header, rows }: Table, first: 'left' | 'right'): string[] {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => displayWidth(row[column] ?? ''))),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const blanks = ' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell)));
        return column === 0 && first === 'left' ? `${cell}${blanks}` : `${blanks}${cell}`;
      })
      .join('  ')
      .trimEnd(),
  );
}
