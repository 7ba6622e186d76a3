import type { TextOutput } from './presenter.ts';
import { displayWidth, truncate } from './textWidth.ts';

/** How a piece of text looks: an emphasis and a colour, given for terminals of 256 and of 16 colours. */
export type Style = {
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly colour?: { readonly ansi256: number; readonly ansi16: number };
};

/** A piece of a line in one style. */
export type Span = { readonly text: string; readonly style?: Style };

/** Returns the text with the escape codes of its style, or unchanged where there are no colours. */
export type Paint = (text: string, style?: Style) => string;

/** Returns the colour depth in bits of an output: 1 (none) when it is no terminal, or when NO_COLOR or TERM=dumb say so. */
export function colourDepth(out: TextOutput, env: Readonly<Record<string, string | undefined>>): number {
  if (out.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return 1;
  return out.getColorDepth?.({ ...env }) ?? 8;
}

/** Returns a {@link Paint} for a colour depth in bits: below 4 without any escape code, from 8 on with 256 colours. */
export function createPaint(depth: number): Paint {
  if (depth < 4) return (text) => text;
  return (text, style = {}) => {
    const codes: (number | string)[] = [];
    if (style.bold) codes.push(1);
    if (style.dim) codes.push(2);
    if (style.colour) codes.push(depth >= 8 ? `38;5;${style.colour.ansi256}` : style.colour.ansi16);
    return codes.length === 0 || text === '' ? text : `\u001b[${codes.join(';')}m${text}\u001b[0m`;
  };
}

/** Returns the spans as one painted line of at most `width` cells, cut with `…`; trailing blanks are dropped. */
export function paintLine(spans: readonly Span[], width: number, paint: Paint): string {
  let left = width;
  const painted: string[] = [];
  const lastInk = spans.findLastIndex(({ text }) => text.trim() !== '');
  for (const [index, { text, style }] of spans.slice(0, lastInk + 1).entries()) {
    const shown = truncate(index === lastInk ? text.trimEnd() : text, left);
    painted.push(paint(shown, style));
    if (shown !== text && shown.endsWith('…')) break;
    left -= displayWidth(shown);
  }
  return painted.join('');
}
