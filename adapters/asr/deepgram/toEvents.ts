import type { RecognizerEvent } from '../../../src/adapter.ts';
import type { SpokenWord } from './speakerLabels.ts';

type Final = Extract<RecognizerEvent, { type: 'final' }>;

/**
 * Returns a final for each run of words of one speaker, in order. Times never go back: a word begins neither before the
 * one before it nor before `afterMs`, the end of the last final, and a final lasts 1 ms at least. Confidence is the mean.
 */
export function toFinals(words: readonly SpokenWord[], afterMs: number, language?: string): readonly Final[] {
  const finals: Final[] = [];
  let untilMs = afterMs;
  for (const run of toRuns(words)) {
    const final = toFinal(inOrder(run, untilMs), language);
    finals.push(final);
    untilMs = final.endMs;
  }
  return finals;
}

/** Returns the last run of words of one speaker as an interim; nothing when there are no words. */
export function toInterim(words: readonly SpokenWord[]): readonly RecognizerEvent[] {
  const run = toRuns(words).at(-1);
  const [first] = run ?? [];
  if (run === undefined || first === undefined) return [];
  return [
    {
      type: 'interim',
      startMs: first.startMs,
      endMs: Math.max(...run.map(({ endMs }) => endMs)),
      text: run.map(({ text }) => text).join(' '),
      ...(first.label !== undefined && { speakerLabel: first.label }),
    },
  ];
}

function toRuns(words: readonly SpokenWord[]): SpokenWord[][] {
  const runs: SpokenWord[][] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last !== undefined && last[0]?.label === word.label) last.push(word);
    else runs.push([word]);
  }
  return runs;
}

function inOrder(words: readonly SpokenWord[], afterMs: number): SpokenWord[] {
  let startMs = afterMs;
  return words.map((word) => {
    startMs = Math.max(startMs, word.startMs);
    return { ...word, startMs, endMs: Math.max(startMs, word.endMs) };
  });
}

function toFinal(run: readonly SpokenWord[], language?: string): Final {
  const startMs = run[0]?.startMs ?? 0;
  const label = run[0]?.label;
  const told = run.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence]));
  return {
    type: 'final',
    startMs,
    endMs: Math.max(startMs + 1, ...run.map(({ endMs }) => endMs)),
    text: run.map(({ text }) => text).join(' '),
    words: run.map(({ label: _label, ...word }) => word),
    ...(told.length > 0 && { confidence: told.reduce((sum, value) => sum + value, 0) / told.length }),
    ...(label !== undefined && { speakerLabel: label }),
    ...(language !== undefined && { language }),
  };
}
