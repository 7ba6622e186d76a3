import { UndertoneError } from '../../../src/errors.ts';
import { parseTiming, toBlocks } from './blocks.ts';
import type { Cue, ProblemList } from './cue.ts';
import { withLabels } from './labels.ts';
import { toLines, withEntities, withoutTags } from './text.ts';

/** Returns whether a text holds at least one SRT timing line. */
export function isSubRip(text: string): boolean {
  return /\d:\d{1,2}(?:[.,]\d{1,3})?[ \t]*-->/.test(text);
}

/**
 * Returns the cues of an SRT (SubRip) file; `Name: text` lines name the speaker. Formatting tags are removed. Numbers
 * before the timing lines are ignored: tools leave them out, repeat them and let them run backwards.
 * @throws UndertoneError BAD_CAPTIONS when no timing line can be read, LIMIT_EXCEEDED past the limit of lines.
 */
export function parseSubRip(text: string, problems: ProblemList): readonly Cue[] {
  const cues: Cue[] = [];
  for (const block of toBlocks(toLines(text), 1)) {
    const timing = block.timing === undefined ? undefined : parseTiming(block.timing);
    if (timing) {
      const plain = withEntities(withoutTags(block.payload.join('\n')));
      cues.push({ line: block.line, ...timing, spans: [{ text: plain }] });
    } else {
      const rule = block.timing === undefined ? 'text without a timing line' : 'timing line cannot be read';
      problems.add(block.line, rule);
    }
  }
  if (cues.length === 0) throw new UndertoneError('BAD_CAPTIONS', 'captions: an SRT file has at least one timing line');
  return withLabels(cues);
}
