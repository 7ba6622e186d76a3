import { chartText, openChart, pixels } from './chart.ts';

/** Labels in a matrix at most; of more, the report says that none was drawn. */
export const MAX_DRAWN_LABELS = 30;

const LEFT = 150;
const TOP = 110;

/**
 * Returns a confusion matrix as SVG: a row for each true label, a column for each answer, shaded by the share of the row;
 * each cell says that share in percent and the count.
 */
export function renderConfusionSvg(
  title: string,
  labels: readonly string[],
  confusion: readonly (readonly number[])[],
): string {
  const cell = Math.max(44, Math.min(76, Math.floor(620 / labels.length)));
  const size = cell * labels.length;
  const rows = confusion.map((counts, truth) => rowSvg(counts, truth, cell));
  const names = labels.map((label, i) => {
    const middle = i * cell + cell / 2;
    const name = chartText(label, 14);
    return (
      `<text x="${LEFT - 10}" y="${TOP + middle + 4}" text-anchor="end">${name}</text>` +
      `<text transform="translate(${LEFT + middle + 4} ${TOP - 8}) rotate(-35)">${name}</text>\n`
    );
  });
  const axes =
    `<text x="${LEFT}" y="46" class="axis">answered →</text>` +
    `<text x="22" y="${TOP + size / 2}" transform="rotate(-90 22 ${TOP + size / 2})" text-anchor="middle" class="axis">← true label</text>` +
    `<text x="${LEFT}" y="${TOP + size + 24}" class="axis">cell: percent of the true label’s utterances, and how many</text>\n`;
  const frame = `<rect x="${LEFT}" y="${TOP}" width="${size}" height="${size}" class="frame"/>\n`;
  const width = Math.max(480, LEFT + size + 90);
  return `${openChart(width, TOP + size + 44, title)}${rows.join('')}${names.join('')}${frame}${axes}</svg>\n`;
}

function rowSvg(counts: readonly number[], truth: number, cell: number): string {
  const total = Math.max(
    1,
    counts.reduce((a, b) => a + b, 0),
  );
  return counts
    .map((count, answer) => {
      const share = count / total;
      const [x, y] = [LEFT + answer * cell, TOP + truth * cell];
      const ink = share > 0.5 ? '#ffffff' : '#222222';
      const at = `x="${pixels(x + cell / 2)}" text-anchor="middle" style="fill:${ink}"`;
      const text = `<text ${at} y="${pixels(y + cell / 2)}">${Math.round(100 * share)} %</text><text ${at} y="${pixels(y + cell / 2 + 14)}" class="value">${count}</text>`;
      return `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${shade(share)}" stroke="#ffffff"/>${text}\n`;
    })
    .join('');
}

/** From almost white to the blue of the first series. */
function shade(share: number): string {
  const mix = (white: number, full: number): number => Math.round(white + (full - white) * share);
  return `rgb(${mix(246, 0)} ${mix(248, 114)} ${mix(250, 178)})`;
}
