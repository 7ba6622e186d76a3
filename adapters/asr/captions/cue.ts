import type { SidecarProblem } from '../../../src/adapter.ts';

/** What is limited in a captions file. */
export type CaptionLimit = 'fileBytes' | 'lines' | 'cues' | 'cueChars' | 'nameChars' | 'problems';

/** The limits of a captions file. Beyond the first three the file is refused (LIMIT_EXCEEDED). */
export const CAPTION_LIMITS: Readonly<Record<CaptionLimit, number>> = {
  fileBytes: 52_428_800,
  lines: 2_000_000,
  cues: 100_000,
  /** Text beyond this is cut off. */
  cueChars: 10_000,
  /** A longer name makes no speaker. */
  nameChars: 200,
  /** Problems that are listed one by one; the rest is counted. */
  problems: 1_000,
};

/** A part of a cue said by one speaker. `name` is absent when the file does not say who speaks. */
export type CueSpan = { readonly name?: string; readonly text: string };

/** A cue as a format's reader found it: times in ms, not yet checked. `line` is its line or number in the file. */
export type Cue = {
  readonly line: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly arrivalMs?: number;
  readonly language?: string;
  readonly spans: readonly CueSpan[];
};

/** A bounded list of what was left out or mended. */
export type ProblemList = {
  add(line: number, rule: string): void;
  list(): readonly SidecarProblem[];
};

/** Returns an empty problem list. Past its limit problems are only counted, and a last entry says how many. */
export function createProblemList(): ProblemList {
  const listed: SidecarProblem[] = [];
  let unlisted = 0;
  return {
    add: (line, rule) => {
      if (listed.length < CAPTION_LIMITS.problems) listed.push({ line, rule });
      else unlisted += 1;
    },
    list: () => (unlisted === 0 ? listed : [...listed, { line: 0, rule: `${unlisted} further problems not listed` }]),
  };
}
