import { describe, expect, it } from 'vitest';
import { renderBarsSvg } from '../../../src/app/report/barsSvg.ts';
import { percentOf, shareRange, shareTicks } from '../../../src/app/report/chart.ts';
import { renderConfusionSvg } from '../../../src/app/report/confusionSvg.ts';
import { renderLinesSvg } from '../../../src/app/report/linesSvg.ts';
import { renderReliabilitySvg } from '../../../src/app/report/reliabilitySvg.ts';
import { reliabilityBins } from '../../../src/training/metrics.ts';

const HOSTILE = `<script>&"'\u0007`;
const FLOOR = { name: 'commonest label', value: 0.25 };
const bar = (value: number): { value: number; interval: [number, number] } => ({
  value,
  interval: [value - 0.05, value + 0.05],
});

/** Values of an attribute of every element of a kind, as numbers. */
const numbers = (svg: string, element: string, attribute: string): number[] =>
  [...svg.matchAll(new RegExp(`<${element}[^>]* ${attribute}="(-?[\\d.]+)"`, 'g'))].map(([, value]) => Number(value));
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

const bars = renderBarsSvg({
  title: HOSTILE,
  axis: 'weighted F1 (%)',
  series: ['masked', 'zero-filled'],
  rows: [
    { name: 'text + audio', bars: [bar(0.5), undefined] },
    { name: HOSTILE, bars: [bar(0.4), bar(0.2)] },
  ],
  floor: FLOOR,
});
const lines = renderLinesSvg({
  title: 'by rate',
  axis: { x: 'chance', y: 'weighted F1 (%)' },
  places: ['0.0', '0.1', '0.2'],
  lines: [
    { name: 'whole', points: [bar(0.5), bar(0.45), bar(0.3)] },
    { name: HOSTILE, points: [bar(0.4), bar(0.4), bar(0.25)] },
  ],
  floor: FLOOR,
});
const outcomes = [0.05, 0.5, 0.55, 0.9, 1].map((sure, i) => ({
  dialogue: 'd',
  truth: i % 2,
  probabilities: [sure, 1 - sure],
}));
const reliability = renderReliabilitySvg(HOSTILE, reliabilityBins(outcomes, 15));
const confusion = renderConfusionSvg(
  'confusion',
  ['glad', HOSTILE],
  [
    [3, 1],
    [0, 0],
  ],
);

describe('the charts', () => {
  it.each(Object.entries({ bars, lines, reliability, confusion }))(
    'escape what they are given, hold only finite numbers and keep inside the paper: %s.',
    (_, svg) => {
      expect(svg).not.toMatch(/<script|NaN|Infinity|undefined|\u0007/);
      expect(svg).toMatch(/^<svg [^>]*role="img" aria-label="[^"]+">/);
      expect(svg.match(/<(svg|g|text|style)[ >]/g)!.length).toBe(svg.match(/<\/(svg|g|text|style)>/g)!.length);
      const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!.map(Number) as [number, number, number];
      for (const x of [...numbers(svg, 'rect', 'x'), ...numbers(svg, 'text', 'x')])
        expect(x).toBeLessThanOrEqual(width);
      for (const y of [...numbers(svg, 'rect', 'y'), ...numbers(svg, 'text', 'y')])
        expect(y).toBeLessThanOrEqual(height);
      for (const size of [...numbers(svg, 'rect', 'width'), ...numbers(svg, 'rect', 'height')])
        expect(size).toBeGreaterThanOrEqual(0);
    },
  );

  it('draw bars as long as their values, and say each with its interval.', () => {
    const colours = ['#0072b2', '#d55e00'];
    const [first, second] = [...bars.matchAll(/<rect x="190" y="[\d.]+" width="([\d.]+)" height="15" fill="(#\w+)"/g)]
      .filter(([, , fill]) => fill === colours[0])
      .map(([, width]) => Number(width));
    expect(first! / second!).toBeCloseTo(0.5 / 0.4, 2);
    expect(texts(bars)).toEqual(expect.arrayContaining(['50.0 (45.0–55.0)', '20.0 (15.0–25.0)', 'weighted F1 (%)']));
    expect(texts(bars)).toContain('commonest label 25.0');
  });

  it('draw a line through its points from left to right, higher for more.', () => {
    const points = [...lines.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    expect(points).toHaveLength(6);
    expect(points[0]![0]).toBeLessThan(points[1]![0]!);
    expect(points[0]![1]).toBeLessThan(points[1]![1]!);
    expect(points[3]![1]).toBe(points[4]![1]);
    expect(texts(lines)).toEqual(expect.arrayContaining(['0.0', '0.1', '0.2', 'chance', '50.0', '45.0', '30.0']));
  });

  it('say how many lie in each bin of confidence, and nothing of empty ones.', () => {
    // Confidences .95 .5 .55 .9 1: bins 7, 8, 13, 14, 14.
    expect(texts(reliability).filter((text) => ['1', '2', '3'].includes(text))).toEqual(['1', '1', '1', '2']);
  });

  it('say share and count in each cell of a matrix, also in a row without utterances.', () => {
    expect(texts(confusion)).toEqual(expect.arrayContaining(['75 %', '3', '25 %', '1', '0 %', '0']));
    expect(texts(confusion).filter((text) => text.endsWith('%'))).toHaveLength(4);
  });
});

describe('shareRange and shareTicks', () => {
  it('cover all shares in round steps, within 0 and 1.', () => {
    expect(shareRange([0.252, 0.58])).toEqual({ from: 0.25, to: 0.6 });
    expect(shareRange([0, 1])).toEqual({ from: 0, to: 1 });
    expect(shareRange([0.5, 0.5]).to).toBeGreaterThan(0.5);
    expect(shareTicks({ from: 0.25, to: 0.6 })).toEqual([0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6]);
    expect(shareTicks({ from: 0, to: 1 })).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(percentOf(0.5467)).toBe('54.7');
  });
});
