import {
  chartText,
  floorMark,
  legend,
  openChart,
  percentOf,
  pixels,
  SERIES_COLOURS,
  shareTicks,
  swatchMark,
} from './chart.ts';

/** A share with its interval. */
export type Bar = { readonly value: number; readonly interval: readonly [number, number] };

/** Bars of one row, in the order of the series; one may be missing. */
export type BarRow = { readonly name: string; readonly bars: readonly (Bar | undefined)[] };

/** What a bar chart says. `floor` is drawn as a line. */
export type BarChart = {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly string[];
  readonly rows: readonly BarRow[];
  readonly floor: { readonly name: string; readonly value: number };
};

const WIDTH = 820;
const LEFT = 190;
const RIGHT = 150;
const TOP = 66;
const BAR = 15;
const GAP = 14;
const AXIS = 46;

/** Returns a horizontal bar chart as SVG: a row for each name, a bar for each series with its 95 % interval. */
export function renderBarsSvg({ title, axis, series, rows, floor }: BarChart): string {
  const rowHeight = series.length * (BAR + 3) + GAP;
  const inner = rows.length * rowHeight;
  const most = Math.max(floor.value, ...rows.flatMap(({ bars }) => bars.map((bar) => bar?.interval[1] ?? 0)));
  const to = Math.min(1, Math.ceil(most * 10 + 1e-9) / 10);
  const x = (share: number): number => pixels(LEFT + (share / to) * (WIDTH - LEFT - RIGHT));
  const ticks = shareTicks({ from: 0, to }).map(
    (tick) =>
      `<path d="M${x(tick)} ${TOP}V${TOP + inner}" class="grid"/><text x="${x(tick)}" y="${TOP + inner + 16}" text-anchor="middle" class="tick">${Math.round(100 * tick)}</text>\n`,
  );
  const drawn = rows.map((row, i) => rowSvg(row, TOP + i * rowHeight, x));
  const floorLine = `<path d="M${x(floor.value)} ${TOP - 4}V${TOP + inner}" class="floor"/>\n`;
  const names = series.map((name, i) => ({ name, mark: swatchMark(SERIES_COLOURS[i] ?? '#888888') }));
  const key = legend(LEFT, 38, [...names, { name: `${floor.name} ${percentOf(floor.value)}`, mark: floorMark() }]);
  const axisName = `<text x="${pixels((LEFT + WIDTH - RIGHT) / 2)}" y="${TOP + inner + 36}" text-anchor="middle" class="axis">${chartText(axis, 80)}</text>\n`;
  return `${openChart(WIDTH, TOP + inner + AXIS, title)}${key}${ticks.join('')}${drawn.join('')}${floorLine}${axisName}</svg>\n`;
}

/** Bars that are missing leave no hole: those that are there are drawn in the middle of the row. */
function rowSvg({ name, bars }: BarRow, rowTop: number, x: (share: number) => number): string {
  const height = bars.length * (BAR + 3);
  const top = rowTop + (bars.filter((bar) => !bar).length * (BAR + 3)) / 2;
  const label = `<text x="${LEFT - 10}" y="${pixels(rowTop + GAP / 2 + height / 2 + 3)}" text-anchor="end">${chartText(name, 28)}</text>\n`;
  const drawn = bars.map((bar, i) => {
    if (!bar) return '';
    const y = top + GAP / 2 + i * (BAR + 3);
    const [low, high] = bar.interval;
    const middle = pixels(y + BAR / 2);
    return (
      `<rect x="${x(0)}" y="${y}" width="${pixels(x(bar.value) - x(0))}" height="${BAR}" fill="${SERIES_COLOURS[i] ?? '#888888'}"/>` +
      `<path d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${middle - 3}V${middle + 3}M${x(high)} ${middle - 3}V${middle + 3}" class="whisker"/>` +
      `<text x="${pixels(WIDTH - RIGHT + 12)}" y="${middle + 4}" class="value">${percentOf(bar.value)} (${percentOf(low)}–${percentOf(high)})</text>\n`
    );
  });
  return `${label}${drawn.join('')}`;
}
