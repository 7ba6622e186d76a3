import type { ReliabilityBin } from '../../training/metrics.ts';
import { legend, openChart, pixels, type Plot, SERIES_COLOURS, shareAxis, shareTicks, swatchMark } from './chart.ts';

const WIDTH = 620;
const PLOT: Plot = { left: 76, top: 66, width: 500, height: 330 };
const COUNTS: Plot = { left: 76, top: 430, width: 500, height: 80 };
const HEIGHT = 564;
const WHOLE = { from: 0, to: 1 };

/**
 * Returns a reliability diagram as SVG: for each bin of confidence the share of right answers, the dashed diagonal where
 * the two agree, and below how many utterances lie in the bin. Source: Guo et al. 2017, arXiv 1706.04599, figure 1.
 */
export function renderReliabilitySvg(title: string, bins: readonly ReliabilityBin[]): string {
  const x = (share: number): number => pixels(PLOT.left + share * PLOT.width);
  const y = (share: number): number => pixels(PLOT.top + (1 - share) * PLOT.height);
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const drawn = bins.map((bin) => {
    if (bin.count === 0) return '';
    const [left, width] = [x(bin.from) + 1, pixels(x(bin.to) - x(bin.from) - 2)];
    const height = pixels((bin.count / most) * (COUNTS.height - 18));
    return (
      `<rect x="${left}" y="${y(bin.accuracy)}" width="${width}" height="${pixels(y(0) - y(bin.accuracy))}" fill="${SERIES_COLOURS[0]}" fill-opacity="0.75"/>` +
      `<path d="M${left} ${y(bin.confidence)}H${pixels(left + width)}" stroke="${SERIES_COLOURS[1]}" stroke-width="3"/>` +
      `<rect x="${left}" y="${pixels(COUNTS.top + COUNTS.height - height)}" width="${width}" height="${height}" fill="#888888"/>` +
      `<text x="${pixels(left + width / 2)}" y="${pixels(COUNTS.top + COUNTS.height - height - 4)}" text-anchor="middle" class="tick">${bin.count}</text>\n`
    );
  });
  const bottom = COUNTS.top + COUNTS.height;
  const ticks = shareTicks(WHOLE).map(
    (tick) =>
      `<text x="${x(tick)}" y="${bottom + 16}" text-anchor="middle" class="tick">${Math.round(100 * tick)}</text>\n`,
  );
  const middle = COUNTS.top + COUNTS.height / 2;
  const axes =
    `<text x="${PLOT.left + PLOT.width / 2}" y="${bottom + 38}" text-anchor="middle" class="axis">confidence of the answer (%), ${bins.length} bins</text>` +
    `<text x="36" y="${middle}" transform="rotate(-90 36 ${middle})" text-anchor="middle" class="axis">utterances</text>\n`;
  const key = legend(PLOT.left, 38, [
    { name: 'right answers', mark: swatchMark(SERIES_COLOURS[0] ?? '') },
    { name: 'mean confidence', mark: `<path d="M0 6H15" stroke="${SERIES_COLOURS[1]}" stroke-width="3"/>` },
    { name: 'perfectly calibrated', mark: '<path d="M0 6H15" class="floor"/>' },
  ]);
  const diagonal = `<path d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}" class="floor"/>\n`;
  const frames = [PLOT, COUNTS].map(
    (plot) => `<rect x="${plot.left}" y="${plot.top}" width="${plot.width}" height="${plot.height}" class="frame"/>\n`,
  );
  return `${openChart(WIDTH, HEIGHT, title)}${key}${shareAxis(PLOT, WHOLE, 'right answers (%)')}${drawn.join('')}${diagonal}${frames.join('')}${ticks.join('')}${axes}</svg>\n`;
}
