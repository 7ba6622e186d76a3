const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Text in which every UTF-16 code unit is one cell: ASCII, Latin letters, usual punctuation, and the marks and bars we draw. */
const ONE_CELL_EACH =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2013\u2014\u2018-\u201e\u2026\u2500-\u259f\u25cb\u25cf\u25d0\u2713\u2717]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\p{Cc}]$/u;
const EMOJI = /^(?:\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|.\ufe0f|\p{Extended_Pictographic}.*\u200d)/u;
/** East Asian Wide and Fullwidth. Source: Unicode 16 EastAsianWidth.txt, neighbouring ranges joined. */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]$/u;

/** Returns how many terminal cells a text takes: 2 for East Asian wide characters and emoji, 0 for combining marks. */
export function displayWidth(text: string): number {
  if (ONE_CELL_EACH.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

/**
 * Returns the text cut to at most `width` cells, with `…` in place of what was cut. Never splits a grapheme.
 * A width of 0 or less gives the empty string.
 */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Returns the text in exactly `width` cells: cut with `…` when longer, filled with blanks on the right when shorter. */
export function fit(text: string, width: number): string {
  const cut = truncate(text, width);
  return cut + ' '.repeat(Math.max(0, width - displayWidth(cut)));
}

/** An emoji takes two cells whatever it is made of; any other grapheme as many as its characters, as terminals count. */
function graphemeWidth(grapheme: string): number {
  if (EMOJI.test(grapheme)) return 2;
  let width = 0;
  for (const character of grapheme) if (!ZERO_WIDTH.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
}
