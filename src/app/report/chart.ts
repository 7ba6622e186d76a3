import { cleanText } from '../present/cleanText.ts';
import { truncate } from '../present/textWidth.ts';
import { escapeXml } from '../present/xml.ts';

/** The inner rectangle of a chart, in pixels of the drawing. */
export type Plot = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

/** A range of values that an axis covers. */
export type Range = { readonly from: number; readonly to: number };

/** Colours of the series, told apart by colour-blind people too. Source: Okabe and Ito, "Color Universal Design" (2008). */
export const SERIES_COLOURS: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'];

/** Returns the opening of a chart on white paper, so that it is legible on light and dark pages; ends with `</svg>`. */
export function openChart(width: number, height: number, title: string): string {
  const name = escapeXml(cleanText(title));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${name}">\n` +
    '<style>text{font:12px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:14px}.axis{fill:#444}.tick{fill:#555;font-size:11px}' +
    '.value{font-size:11px}.grid{stroke:#e4e4e4;fill:none}.frame{stroke:#888;fill:none}.floor{stroke:#555;stroke-dasharray:5 4;fill:none}' +
    '.whisker{stroke:#222;stroke-width:1.2;fill:none}</style>\n' +
    `<rect width="100%" height="100%" fill="#ffffff"/>\n<text x="16" y="24" class="title">${name}</text>\n`
  );
}

/** Returns text as it may stand in a drawing: without control characters, shortened and escaped. */
export function chartText(text: string, limit = 40): string {
  return escapeXml(truncate(cleanText(text), limit));
}

/** Returns a number of pixels with one decimal, so that drawings are the same everywhere. */
export function pixels(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Returns a share in [0, 1] as percent with one decimal. */
export function percentOf(share: number): string {
  return (100 * share).toFixed(1);
}

/** Returns round tick values that cover a range of shares, at most about eight of them. */
export function shareTicks({ from, to }: Range): number[] {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2].find((size) => (to - from) / size <= 8) ?? 0.2;
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toFixed(2)));
}

/** Returns the smallest range of whole steps of 5 % that holds all shares, within 0 and 1. */
export function shareRange(shares: readonly number[]): Range {
  const low = Math.floor(Math.min(...shares) * 20 - 1e-9) / 20;
  const high = Math.ceil(Math.max(...shares) * 20 + 1e-9) / 20;
  return { from: Math.max(0, low), to: Math.min(1, Math.max(high, low + 0.05)) };
}

/** Returns a vertical axis of shares in percent, with lines across the plot and its name beside it. */
export function shareAxis(plot: Plot, range: Range, name: string): string {
  const lines = shareTicks(range).map((tick) => {
    const y = pixels(plot.top + plot.height * (1 - (tick - range.from) / (range.to - range.from)));
    return (
      `<path d="M${plot.left} ${y}H${plot.left + plot.width}" class="grid"/>` +
      `<text x="${plot.left - 8}" y="${y + 4}" text-anchor="end" class="tick">${Math.round(100 * tick)}</text>\n`
    );
  });
  const middle = pixels(plot.top + plot.height / 2);
  const at = plot.left - 40;
  return `${lines.join('')}<text x="${at}" y="${middle}" transform="rotate(-90 ${at} ${middle})" text-anchor="middle" class="axis">${chartText(name, 60)}</text>\n`;
}

/** Returns a legend in one line: a swatch and a name for each entry. */
export function legend(
  x: number,
  y: number,
  entries: readonly { readonly name: string; readonly mark: string }[],
): string {
  let at = x;
  return entries
    .map(({ name, mark }) => {
      const entry = `<g transform="translate(${at} ${y})">${mark}<text x="20" y="10">${chartText(name, 60)}</text></g>\n`;
      at += 40 + 7 * name.length;
      return entry;
    })
    .join('');
}

/** Returns the swatch of a series for {@link legend}. */
export function swatchMark(colour: string): string {
  return `<rect width="13" height="12" rx="2" fill="${colour}"/>`;
}

/** Returns the mark of the floor line for {@link legend}. */
export function floorMark(): string {
  return '<path d="M0 6H15" class="floor"/>';
}
