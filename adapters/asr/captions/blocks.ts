/**
 * Lines between blank lines. `timing` is the line with the arrow and `payload` what follows it; a block without an
 * arrow has its lines in `payload`. `line` counts from 1 and is the line of the arrow, else the first line.
 */
export type Block = { readonly line: number; readonly timing?: string; readonly payload: readonly string[] };

/** Start and end of a cue, in ms. */
export type CueTiming = { readonly startMs: number; readonly endMs: number };

/**
 * Emits the blocks of a WebVTT or SRT file. A second arrow before a blank line begins a new block, and a number alone
 * on the line before it is that block's identifier, not text.
 */
export function* toBlocks(lines: readonly string[], firstLine: number): Generator<Block> {
  let open: { line: number; timing?: string; payload: string[] } | undefined;
  for (const [index, text] of lines.entries()) {
    const line = firstLine + index;
    if (text.trim() === '') {
      if (open) yield open;
      open = undefined;
    } else if (text.includes('-->')) {
      if (open?.timing !== undefined) yield withoutTrailingNumber(open);
      open = { line, timing: text, payload: [] };
    } else {
      open ??= { line, payload: [] };
      open.payload.push(text);
    }
  }
  if (open) yield open;
}

/**
 * Returns the times of a line `00:00:01.000 --> 00:00:02.000 position:10%`, or nothing when it breaks the rule: hours
 * optional and up to 9,999, minutes and seconds below 60, comma or point before the milliseconds.
 */
export function parseTiming(line: string): CueTiming | undefined {
  const arrow = line.indexOf('-->');
  const startMs = toMs(line.slice(0, arrow).trim());
  const endMs = toMs(/^\S*/.exec(line.slice(arrow + 3).trim())?.[0] ?? '');
  return startMs === undefined || endMs === undefined ? undefined : { startMs, endMs };
}

function toMs(timestamp: string): number | undefined {
  const fields = /^(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,3}))?$/.exec(timestamp);
  if (!fields) return undefined;
  const [, hours = '0', minutes = '', seconds = '', fraction = '0'] = fields;
  return (
    Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(fraction.padEnd(3, '0'))
  );
}

function withoutTrailingNumber(block: Block): Block {
  const last = block.payload.at(-1);
  return last !== undefined && /^\s*\d+\s*$/.test(last) ? { ...block, payload: block.payload.slice(0, -1) } : block;
}
