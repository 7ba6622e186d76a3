import type { Cue, CueSpan } from './cue.ts';

/**
 * Returns the cues with `Name: text` lines told apart by speaker. WebVTT without `<v>` and SRT have no field for the
 * speaker, so this convention is read, and only where it looks like one:
 *
 * - a label stands at the beginning of a line, up to a colon that a blank or the end of the line follows;
 * - it has at most 40 characters and 5 words, begins with a letter or digit and holds none of `. , ; ! ? … " < >`;
 * - if it has several words, each begins with a capital, a digit, `(`, or a letter of a script without capitals;
 * - it stands in two cues or more, or at least half of the file's cues begin with a label. So `Remember: lock the door`
 *   in a film's subtitles makes no speaker.
 *
 * A line without a label goes on with the speaker of the line before it in the same cue.
 */
export function withLabels(cues: readonly Cue[]): readonly Cue[] {
  const isLabel = labelRule(cues);
  return cues.map((cue) => ({ ...cue, spans: cue.spans.flatMap((span) => toLabelledSpans(span, isLabel)) }));
}

function labelRule(cues: readonly Cue[]): (label: string) => boolean {
  const counts = new Map<string, number>();
  let labelled = 0;
  for (const cue of cues) {
    const labels = new Set(
      cue.spans.flatMap((span) => span.text.split('\n').flatMap((line) => splitLabel(line).label ?? [])),
    );
    if (labels.size > 0) labelled += 1;
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const isConvention = labelled * 2 >= cues.length;
  return (label) => isConvention || (counts.get(label) ?? 0) >= 2;
}

function toLabelledSpans(span: CueSpan, isLabel: (label: string) => boolean): CueSpan[] {
  const spans: { name?: string; text: string }[] = [];
  for (const line of span.text.split('\n')) {
    const { label, rest } = splitLabel(line);
    const current = spans.at(-1);
    if (label !== undefined && isLabel(label)) spans.push({ name: label, text: rest });
    else if (current) current.text += `\n${line}`;
    else spans.push({ text: line });
  }
  return spans;
}

function splitLabel(line: string): { readonly label?: string; readonly rest: string } {
  const [, label, rest] = /^\s*(?:-\s*)?([\p{L}\p{N}][^:.,;!?…"<>]{0,39}):(?=\s|$)([^]*)$/u.exec(line) ?? [];
  if (label === undefined || rest === undefined) return { rest: line };
  const words = label.trim().split(/\s+/);
  const isName =
    words.length === 1 || (words.length <= 5 && words.every((word) => /^[\p{Lu}\p{Lt}\p{Lo}\p{N}(]/u.test(word)));
  return isName ? { label: label.trim(), rest } : { rest: line };
}
