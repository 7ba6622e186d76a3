import { describe, expect, it } from 'vitest';
import { createExtractionReport, summarizeNotes } from '../../../src/app/dataset/extractionReport.ts';

/** What is written when one utterance is measured every `stepMs`, from `first` on. */
function written(isTTY: boolean, total: number, stepMs: number, first = 1): string[] {
  const texts: string[] = [];
  let nowMs = 5_000;
  const out = { isTTY, write: (text: string): boolean => texts.push(text) > 0 };
  const report = createExtractionReport(out, () => nowMs);
  for (let done = first; done <= total; done++) {
    report({ done, total, failed: done > 50 ? 2 : 0 });
    nowMs += stepMs;
  }
  return texts;
}

describe('createExtractionReport', () => {
  it('writes a line for each tenth where the output is no terminal, with the time left.', () => {
    const lines = written(false, 100, 1_000);
    expect(lines).toHaveLength(10);
    // When the 50th is reported 49 s have gone by, so 49 s are left for the other 50.
    expect(lines[4]).toBe('measuring 50 % · 50 of 100 utterances · 00:49 left\n');
    expect(lines[9]).toBe('measuring 100 % · 100 of 100 utterances · 00:00 left · 2 failed\n');
  });

  it('does not count what a former run measured when it says what is left.', () => {
    expect(written(false, 100, 1_000, 61)[1]).toMatch(/^measuring 70 % .* 00:27 left/);
  });

  it('redraws one line of a terminal at most five times a second, and ends it.', () => {
    const texts = written(true, 100, 20);
    expect(texts.length).toBeLessThan(14);
    expect(texts.every((text) => text.startsWith('\r\u001b[2K'))).toBe(true);
    expect(texts.at(-1)).toMatch(/100 of 100 .*\n$/);
  });
});

describe('summarizeNotes', () => {
  it('gives one line to each rule, with the first file and how many others there are.', () => {
    const notes = [
      { file: 'a.wav', rule: 'no such file' },
      { file: 'b.wav', rule: 'the file is empty' },
      { file: 'c.wav', rule: 'no such file' },
      { file: 'd.wav', rule: 'no such file' },
    ];
    expect(summarizeNotes(notes)).toEqual(['a.wav and 2 more: no such file', 'b.wav: the file is empty']);
    expect(summarizeNotes([])).toEqual([]);
  });

  it('stops at a limit and counts the rest.', () => {
    const notes = Array.from({ length: 30 }, (_, i) => ({ file: `${i}.wav`, rule: `rule ${i}` }));
    expect(summarizeNotes(notes, 3)).toEqual(['0.wav: rule 0', '1.wav: rule 1', '2.wav: rule 2', 'and 27 other rules']);
  });
});
