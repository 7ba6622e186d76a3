import {
  chartText,
  floorMark,
  legend,
  openChart,
  percentOf,
  pixels,
  type Plot,
  type Range,
  SERIES_COLOURS,
  shareAxis,
  shareRange,
  swatchMark,
} from './chart.ts';
import type { Bar } from './barsSvg.ts';

/** One line: a share with its interval at each place of the horizontal axis. */
export type Line = { readonly name: string; readonly points: readonly Bar[] };

/** What a line chart says; the places are evenly spaced. `floor` is drawn as a line where it lies within the plot. */
export type LineChart = {
  readonly title: string;
  readonly axis: { readonly x: string; readonly y: string };
  readonly places: readonly string[];
  readonly lines: readonly Line[];
  readonly floor: { readonly name: string; readonly value: number };
};

const WIDTH = 820;
const PLOT: Plot = { left: 70, top: 66, width: 720, height: 290 };
const HEIGHT = PLOT.top + PLOT.height + 56;

/** Returns a line chart as SVG: a line for each series with its 95 % interval as a band, and the values of the first. */
export function renderLinesSvg({ title, axis, places, lines, floor }: LineChart): string {
  const range = shareRange([floor.value, ...lines.flatMap(({ points }) => points.flatMap(({ interval }) => interval))]);
  const scale = createScale(places.length, range);
  const ticks = places.map(
    (place, i) =>
      `<text x="${scale.x(i)}" y="${PLOT.top + PLOT.height + 18}" text-anchor="middle" class="tick">${chartText(place, 12)}</text>\n`,
  );
  const y = scale.y(floor.value);
  const floorLine = `<path d="M${PLOT.left} ${y}H${PLOT.left + PLOT.width}" class="floor"/>\n`;
  const drawn = lines.map((line, i) => lineSvg(line, i, scale));
  const names = lines.map(({ name }, i) => ({ name, mark: swatchMark(colourOf(i)) }));
  const key = legend(PLOT.left, 38, [...names, { name: `${floor.name} ${percentOf(floor.value)}`, mark: floorMark() }]);
  const axisName = `<text x="${PLOT.left + PLOT.width / 2}" y="${HEIGHT - 12}" text-anchor="middle" class="axis">${chartText(axis.x, 80)}</text>\n`;
  const frame = `<rect x="${PLOT.left}" y="${PLOT.top}" width="${PLOT.width}" height="${PLOT.height}" class="frame"/>\n`;
  return `${openChart(WIDTH, HEIGHT, title)}${key}${shareAxis(PLOT, range, axis.y)}${ticks.join('')}${floorLine}${drawn.join('')}${frame}${axisName}</svg>\n`;
}

type Scale = { readonly x: (place: number) => number; readonly y: (share: number) => number };

function createScale(places: number, { from, to }: Range): Scale {
  const margin = 40;
  const step = places > 1 ? (PLOT.width - 2 * margin) / (places - 1) : 0;
  const start = places > 1 ? PLOT.left + margin : PLOT.left + PLOT.width / 2;
  return {
    x: (place) => pixels(start + place * step),
    y: (share) => pixels(PLOT.top + PLOT.height * (1 - (share - from) / (to - from))),
  };
}

/** The first line has its values above its points, all others below theirs. */
function lineSvg({ points }: Line, index: number, { x, y }: Scale): string {
  const colour = colourOf(index);
  const upper = points.map(({ interval }, i) => `${x(i)} ${y(interval[1])}`);
  const lower = points.map(({ interval }, i) => `${x(i)} ${y(interval[0])}`).reverse();
  const band = `<path d="M${[...upper, ...lower].join('L')}Z" fill="${colour}" fill-opacity="0.13"/>`;
  const line = `<path d="M${points.map(({ value }, i) => `${x(i)} ${y(value)}`).join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  const marks = points.map(
    ({ value }, i) =>
      `<circle cx="${x(i)}" cy="${y(value)}" r="3.5" fill="${colour}"/>` +
      `<text x="${x(i)}" y="${pixels(y(value) + (index === 0 ? -10 : 19))}" text-anchor="middle" class="value" style="fill:${colour}">${percentOf(value)}</text>\n`,
  );
  return `${band}${line}\n${marks.join('')}`;
}

function colourOf(index: number): string {
  return SERIES_COLOURS[index] ?? '#888888';
}
