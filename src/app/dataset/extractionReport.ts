import { countText, durationText, percentText } from '../present/wording.ts';
import type { ExtractionProgress } from './extract.ts';
import type { ImportNote } from './importedDataset.ts';

const REDRAW_EVERY_MS = 200;

/** What progress is written to; `process.stderr` fits. */
export type ProgressOutput = { readonly isTTY?: boolean; write(text: string): unknown };

/**
 * Returns a function that shows how far an extraction is, with the time left: on a terminal one line that is redrawn, in
 * other output a line for each tenth. `nowMs` is a clock that only runs forward.
 */
export function createExtractionReport(
  err: ProgressOutput,
  nowMs: () => number,
): (progress: ExtractionProgress) => void {
  let begun: { readonly atMs: number; readonly done: number } | undefined;
  let drawnMs = -Infinity;
  let tenths = 0;
  return ({ done, total, failed }) => {
    // Of what a former run measured nothing is known but that it is done.
    begun ??= { atMs: nowMs(), done: done - 1 };
    const leftMs = ((nowMs() - begun.atMs) / (done - begun.done)) * (total - done);
    const text = `measuring ${percentText(done / total)} · ${done} of ${countText(total, 'utterance')} · ${durationText(leftMs)} left${failed > 0 ? ` · ${failed} failed` : ''}`;
    const tenth = Math.floor((10 * done) / total);
    if (err.isTTY === true) {
      if (done < total && nowMs() - drawnMs < REDRAW_EVERY_MS) return;
      drawnMs = nowMs();
      err.write(`\r\u001b[2K${text}${done === total ? '\n' : ''}`);
    } else if (tenth > tenths) err.write(`${text}\n`);
    tenths = Math.max(tenth, tenths);
  };
}

/**
 * Returns notes and problems as lines: one for each rule, with how often it applies and the first file it applies to.
 * At most `limit` lines, and one that counts the rest.
 */
export function summarizeNotes(notes: readonly ImportNote[], limit = 20): readonly string[] {
  const groups = new Map<string, { readonly file: string; count: number }>();
  for (const { file, rule } of notes) {
    const group = groups.get(rule);
    if (group) group.count += 1;
    else groups.set(rule, { file, count: 1 });
  }
  const lines = [...groups].map(([rule, { file, count }]) =>
    count === 1 ? `${file}: ${rule}` : `${file} and ${count - 1} more: ${rule}`,
  );
  const rest = lines.length - limit;
  return rest > 0 ? [...lines.slice(0, limit), `and ${countText(rest, 'other rule')}`] : lines;
}
