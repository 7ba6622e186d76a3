import { describe, expect, it } from 'vitest';
import { toCharts } from '../../../src/app/report/charts.ts';
import { createEvaluationProgress } from '../../../src/app/report/evaluationProgress.ts';
import { toReportJson } from '../../../src/app/report/reportJson.ts';
import { renderReportMarkdown } from '../../../src/app/report/reportMarkdown.ts';
import { renderReportText } from '../../../src/app/report/reportText.ts';
import { toTables } from '../../../src/app/report/tables.ts';
import type { ComparedRow, Evaluation } from '../../../src/training/evaluation/result.ts';
import { computeMetrics, reliabilityBins } from '../../../src/training/metrics.ts';

const LABELS = ['glad', 'c|r*oss<b>'];
/** A row of ten outcomes of which so many are right. */
const row = (lookAhead: number, right: number, difference = 0): ComparedRow => {
  const outcomes = Array.from({ length: 10 }, (_, i) => {
    const answer = i < right ? i % 2 : 1 - (i % 2);
    return { dialogue: 'd', truth: i % 2, probabilities: answer === 0 ? [0.75, 0.25] : [0.25, 0.75] };
  });
  return {
    lookAhead,
    metrics: computeMetrics(outcomes, 2),
    interval: [0.5, 0.9],
    bins: reliabilityBins(outcomes, 15),
    difference: { value: difference, interval: [difference - 0.02, difference + 0.02] },
  };
};
const EVALUATION: Evaluation = {
  dataset: 'set_1',
  split: 'dev',
  labels: LABELS,
  shown: ['text', 'audio'],
  present: ['text', 'audio'],
  sources: { text: 'text', prosody: 'prosody8', segments: null },
  dialogues: 1,
  utterances: 10,
  floor: 0.333,
  rows: [row(0, 6), row(Infinity, 8)],
  subsets: [
    { shown: ['text', 'audio'], rows: [row(0, 6), row(Infinity, 8)] },
    { shown: ['text'], rows: [row(0, 5), row(Infinity, 6, -0.2)], zeroFilled: [row(0, 5), row(Infinity, 4, -0.2)] },
    { shown: ['audio'], rows: [row(0, 4), row(Infinity, 4, -0.4)], zeroFilled: [row(0, 4), row(Infinity, 2, -0.2)] },
  ],
  rates: { seed: 1, results: [{ rate: 0, hidden: 0, rows: [row(0, 6), row(Infinity, 8)] }] },
  ablations: [{ without: 'qaf', rows: [row(0, 6), row(Infinity, 8, 0.0001)] }],
  shuffledSpeakers: { seed: 1, rows: [row(0, 6), row(Infinity, 6, -0.2)] },
  others: [
    { weights: 'text|only', seed: 4, sources: { text: 'text' }, rows: [row(0, 5, -0.1), row(Infinity, 9, 0.1)] },
  ],
};
const SOURCE = { weights: 'base', seed: 3, trainedOn: 'made-up words', licence: 'none', backend: 'wasm' };

describe('toTables', () => {
  it('gives figures in percent, differences in points with signs, and means of what has something missing.', () => {
    const [main, subsets, rates, parts, others] = toTables(EVALUATION);
    expect(main!.rows.map((cells) => cells.slice(0, 3))).toEqual([
      ['0', '60.0', '50.0 – 90.0'],
      ['all', '80.0', '50.0 – 90.0'],
    ]);
    expect(subsets!.rows[1]).toEqual([
      'text',
      '60.0',
      '50.0 – 90.0',
      '49.5',
      '−20.0 (−22.0 to −18.0)',
      '15.0',
      '40.0',
      '−20.0 (−22.0 to −18.0)',
    ]);
    expect(subsets!.rows.at(-1)!.filter((cell) => cell !== '')).toEqual([
      'mean of those with something missing',
      '50.0',
      '30.0',
    ]);
    expect(rates!.rows[0]!.slice(0, 2)).toEqual(['0.0', '80.0']);
    expect(parts!.rows.map(([name, , , , difference]) => [name, difference])).toEqual([
      ['without qaf', '0.0 (−2.0 to +2.0)'],
      ['shuffled speakers', '−20.0 (−22.0 to −18.0)'],
    ]);
    expect(others!.rows).toEqual([
      ['text|only, seed 4', '89.9', '50.0 – 90.0', '49.5', '+10.0 (+8.0 to +12.0)', expect.any(String)],
    ]);
  });

  it('has as many cells in each row as the header has.', () => {
    for (const { header, rows } of toTables(EVALUATION))
      for (const cells of rows) expect(cells).toHaveLength(header.length);
  });

  it('gives only the main figures when nothing else was measured.', () => {
    const { subsets: _s, rates: _r, ablations: _a, shuffledSpeakers: _p, others: _o, ...main } = EVALUATION;
    expect(toTables(main)).toHaveLength(1);
    expect(toCharts(main).map(({ file }) => file)).toEqual(['confusion.svg', 'reliability.svg', 'look-ahead.svg']);
  });
});

describe('renderReportText', () => {
  it('says what was not in the dataset, and aligns its columns.', () => {
    const text = renderReportText(EVALUATION);
    expect(text).toContain('not in this dataset: segments');
    const lines = text.split('\n');
    const header = lines.findIndex((line) => line.startsWith('shown'));
    const at = lines[header]!.indexOf('wF1') + 3;
    for (const line of lines.slice(header + 1, header + 4)) expect(line.slice(at - 4, at)).toMatch(/^\d\d\.\d$/);
  });
});

describe('renderReportMarkdown', () => {
  it('states figure, interval and floor first, and every table whole.', () => {
    const text = renderReportMarkdown(EVALUATION, SOURCE, toCharts(EVALUATION));
    expect(text).toContain('Weighted F1 **80.0** (95 % interval 50.0 – 90.0); always the commonest label: 33.3.');
    for (const block of text.split('\n\n').filter((part) => part.startsWith('|'))) {
      const columns = block.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(columns).size).toBe(1);
    }
  });

  it('lets no name be taken for Markdown or HTML.', () => {
    const text = renderReportMarkdown(EVALUATION, SOURCE, []);
    expect(text).toContain('c\\|r\\*oss\\<b\\>');
    expect(text).toContain('# base on set\\_1, split dev');
  });

  it('shows every chart.', () => {
    const charts = toCharts(EVALUATION);
    expect(charts).toHaveLength(5);
    const text = renderReportMarkdown(EVALUATION, SOURCE, charts);
    for (const { file } of charts) expect(text).toContain(`](${file})`);
  });
});

describe('toReportJson', () => {
  it('survives JSON: every look-ahead over the whole dialogue reads inf.', () => {
    const text = JSON.stringify(toReportJson(EVALUATION, SOURCE));
    expect(text).not.toMatch(/"lookAhead":null/);
    expect(text.match(/"lookAhead":"inf"/g)).toHaveLength(10);
    expect(JSON.parse(text)).toMatchObject({ weights: 'base', weightedF1: 0.8, rows: [{ lookAhead: 0 }, {}] });
  });
});

describe('createEvaluationProgress', () => {
  const watch = (isTTY: boolean): { written: string[]; at: (ms: number, done: number) => void; close: () => void } => {
    const written: string[] = [];
    let now = 0;
    const write = (text: string): boolean => written.push(text) > 0;
    const progress = createEvaluationProgress({ write, isTTY } as never, () => now);
    return {
      written,
      at: (ms, done) => {
        now = ms;
        progress.update(done, 100);
      },
      close: progress.close,
    };
  };

  it('writes a line every ten seconds with the time left, and nothing for a short run.', () => {
    const { written, at, close } = watch(false);
    at(1_000, 5);
    at(9_999, 20);
    expect(written).toEqual([]);
    at(10_000, 25);
    at(12_000, 30);
    at(20_000, 80);
    close();
    expect(written).toEqual(['evaluating 25 %, about 00:30 left\n', 'evaluating 80 %, about 00:05 left\n']);
  });

  it('draws one line again on a terminal, at most five times a second, and takes it away.', () => {
    const { written, at, close } = watch(true);
    at(100, 10);
    at(200, 20);
    at(300, 30);
    close();
    close();
    expect(written.map((text) => text.replace(/^\r\u001b\[2K/, '>'))).toEqual([
      '>evaluating 10 %, about 00:01 left',
      '>evaluating 30 %, about 00:01 left',
      '>',
    ]);
  });
});
