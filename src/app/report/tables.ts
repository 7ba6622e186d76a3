import type { Estimate } from '../../training/evaluation/bootstrap.ts';
import type { ComparedRow, Evaluation, EvaluationRow, SubsetResult } from '../../training/evaluation/result.ts';
import { cleanText } from '../present/cleanText.ts';
import { percentOf } from './chart.ts';

/** A table of a report; the first column is text, the others are figures in percent. */
export type Table = {
  readonly title: string;
  /** What the figures mean, where the header cannot say it. */
  readonly note: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** Returns the name of a look-ahead: its number of utterances, or `all`. */
export function lookAheadText(lookAhead: number): string {
  return Number.isFinite(lookAhead) ? `${lookAhead}` : 'all';
}

/** Returns the last row: that of the largest look-ahead, which the other tables report. */
export function lastOf<T extends EvaluationRow>(rows: readonly T[]): T {
  const last = rows.at(-1);
  if (!last) throw new RangeError('an evaluation has at least one look-ahead');
  return last;
}

/** Returns the tables of an evaluation, the main figures first. */
export function toTables(evaluation: Evaluation): Table[] {
  return [
    mainTable(evaluation),
    ...subsetTables(evaluation),
    ...rateTables(evaluation),
    ...partTables(evaluation),
    ...otherTables(evaluation),
  ];
}

function mainTable({ rows }: Evaluation): Table {
  return {
    title: 'Look-ahead',
    note: 'How many later utterances a prediction has seen; an utterance followed by fewer counts with its last prediction.',
    header: ['look-ahead', 'wF1', '95 % interval', 'macro F1', 'accuracy', 'ECE'],
    rows: rows.map(({ lookAhead, metrics, interval }) => [
      lookAheadText(lookAhead),
      percentOf(metrics.weightedF1),
      intervalText(interval),
      percentOf(metrics.macroF1),
      percentOf(metrics.accuracy),
      percentOf(metrics.ece),
    ]),
  };
}

function subsetTables({ subsets, rows }: Evaluation): Table[] {
  if (!subsets) return [];
  const fewer = subsets.slice(1);
  const mean = (of: (subset: SubsetResult) => readonly EvaluationRow[] | undefined): string =>
    meanText(fewer.flatMap((subset) => of(subset)?.slice(-1) ?? []));
  const table = subsets.map(({ shown, rows: own, zeroFilled }) => [
    shown.join(' + '),
    ...comparedCells(own),
    ...(zeroFilled
      ? [percentOf(lastOf(zeroFilled).metrics.weightedF1), differenceText(lastOf(zeroFilled).difference)]
      : ['', '']),
  ]);
  if (fewer.length > 0)
    table.push([
      'mean of those with something missing',
      mean((s) => s.rows),
      '',
      '',
      '',
      '',
      mean((s) => s.zeroFilled),
      '',
    ]);
  return [
    {
      title: 'Which modalities are there',
      note: `After ${seenText(rows)}. Missing modalities are masked. Zero-filled: in their place normalised zeros, and one unknown word for a text, that claim to be there; its difference is from masked.`,
      header: [...comparedHeader('shown', rows), 'zero-filled wF1', 'from masked'],
      rows: table,
    },
  ];
}

function rateTables({ rates, rows }: Evaluation): Table[] {
  if (!rates) return [];
  return [
    {
      title: 'Modalities missing at random',
      note: `After ${seenText(rows)}. Masks drawn once from seed ${rates.seed}; an utterance never loses everything, so that less is hidden than the rate says.`,
      header: [...comparedHeader('missing rate', rows), 'really hidden'],
      rows: [
        ...rates.results.map(({ rate, hidden, rows: own }) => [
          rate.toFixed(1),
          ...comparedCells(own),
          percentOf(hidden),
        ]),
        [
          'mean of 0.1 to 0.7',
          meanText(rates.results.slice(1).map((result) => lastOf(result.rows))),
          '',
          '',
          '',
          '',
          '',
        ],
      ],
    },
  ];
}

function partTables({ ablations, shuffledSpeakers, rows }: Evaluation): Table[] {
  const parts = [
    ...(ablations ?? []).map((result) => [`without ${result.without}`, ...comparedCells(result.rows)]),
    ...(shuffledSpeakers ? [['shuffled speakers', ...comparedCells(shuffledSpeakers.rows)]] : []),
  ];
  if (parts.length === 0) return [];
  return [
    {
      title: 'Parts of the method, switched off when the same weights are used',
      note: `After ${seenText(rows)}. Nothing is trained again without the part. Shuffled speakers: who speaks is permuted within each dialogue.`,
      header: comparedHeader('variant', rows),
      rows: parts,
    },
  ];
}

function otherTables({ others, rows }: Evaluation): Table[] {
  if (!others) return [];
  return [
    {
      title: 'Other weights on the same utterances',
      note: `After ${seenText(rows)}. Shown the same modalities, as far as they have inputs for them; differences are theirs minus those of the main figures.`,
      header: comparedHeader('weights', rows),
      rows: others.map(({ weights, seed, rows: own }) => [
        `${cleanText(weights)}, seed ${seed}`,
        ...comparedCells(own),
      ]),
    },
  ];
}

/** Returns the F1 of each label after the largest look-ahead, with how often the label is true. */
export function labelTable({ labels, rows }: Evaluation): Table {
  const { metrics, lookAhead } = lastOf(rows);
  return {
    title: 'Labels',
    note: `After ${lookAheadText(lookAhead)} later utterances.`,
    header: ['label', 'F1', 'utterances'],
    rows: labels.map((label, i) => [
      cleanText(label),
      percentOf(metrics.classF1[i] ?? 0),
      `${(metrics.confusion[i] ?? []).reduce((a, b) => a + b, 0)}`,
    ]),
  };
}

function comparedHeader(name: string, rows: readonly EvaluationRow[]): string[] {
  return [name, 'wF1', '95 % interval', `wF1 at ${lookAheadText(rows[0]?.lookAhead ?? 0)}`, 'difference', 'ECE'];
}

function comparedCells(rows: readonly ComparedRow[]): string[] {
  const { metrics, interval, difference } = lastOf(rows);
  return [
    percentOf(metrics.weightedF1),
    intervalText(interval),
    percentOf(rows[0]?.metrics.weightedF1 ?? 0),
    differenceText(difference),
    percentOf(metrics.ece),
  ];
}

function seenText(rows: readonly EvaluationRow[]): string {
  const { lookAhead } = lastOf(rows);
  return Number.isFinite(lookAhead) ? `${lookAhead} later utterances` : 'the whole dialogue';
}

function intervalText([low, high]: readonly [number, number]): string {
  return `${percentOf(low)} – ${percentOf(high)}`;
}

/** A difference in points with its interval, signs always shown. */
function differenceText({ value, interval }: Estimate): string {
  const signed = (share: number): string => {
    const text = percentOf(Math.abs(share));
    return text === '0.0' ? '0.0' : `${share < 0 ? '−' : '+'}${text}`;
  };
  return `${signed(value)} (${signed(interval[0])} to ${signed(interval[1])})`;
}

function meanText(rows: readonly EvaluationRow[]): string {
  const sum = rows.reduce((total, { metrics }) => total + metrics.weightedF1, 0);
  return rows.length > 0 ? percentOf(sum / rows.length) : '';
}
