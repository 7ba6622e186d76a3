import type { ParsedTurns, SidecarProblem } from '../../../src/adapter.ts';
import type { SpeakerTurn } from '../../../src/domain/observation.ts';
import { speakerFromName } from '../../../src/domain/speaker.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { RttmLine } from './lines.ts';
import { parseRttmLines, RTTM_LIMITS } from './lines.ts';

/** Which stream the turns are of, and the recording's file id: the base name of its media file. */
export type RttmOptions = { readonly streamId: string; readonly fileId?: string };

/**
 * Returns the turns of one recording in order of start time, and what was left out or mended. A turn arrives when it
 * ends, as a diarizer reports it. Turns of one speaker that overlap or touch are merged; those of different speakers
 * may overlap. Lines of other types are counted in one problem.
 *
 * The recording is, in this order: the file id equal to `fileId`; the longest one that `fileId` (with or without its
 * extension) ends with after `-`, `_` or `.`, as `dev00` does `ami-dev00.wav`; the only one in the file.
 * @throws UndertoneError BAD_RTTM when no line can be used or none of several file ids fits, FILE_EMPTY,
 * LIMIT_EXCEEDED past {@link RTTM_LIMITS}. Nothing else is thrown, whatever the bytes.
 */
export function parseRttm(bytes: Uint8Array, options: RttmOptions): ParsedTurns {
  const lines = parseRttmLines(bytes);
  const speakerLines = lines.filter((line) => line.kind === 'speaker');
  const fileId = chooseFileId(new Set(speakerLines.map((line) => line.fileId)), options.fileId);
  const mine = speakerLines.filter((line) => line.fileId === fileId);
  const { turns, merged } = mergeTurns(mine, options.streamId);
  return { turns, problems: toProblems(lines, merged) };
}

type SpeakerLine = Extract<RttmLine, { kind: 'speaker' }>;

function chooseFileId(ids: ReadonlySet<string>, asked: string | undefined): string {
  const [first, ...others] = [...ids].sort((a, b) => b.length - a.length);
  if (first === undefined) throw new UndertoneError('BAD_RTTM', 'RTTM: no usable SPEAKER line');
  if (asked !== undefined) {
    const names = [asked, asked.replace(/\.[^.]*$/, '')];
    const fits = (id: string): boolean => names.some((name) => ['-', '_', '.'].some((sep) => name.endsWith(sep + id)));
    const found = names.find((name) => ids.has(name)) ?? [first, ...others].find(fits);
    if (found !== undefined) return found;
  }
  if (others.length === 0) return first;
  throw new UndertoneError('BAD_RTTM', `RTTM: none of its file ids is this recording's: ${describeIds(ids)}`);
}

function describeIds(ids: ReadonlySet<string>): string {
  const shown = [...ids].slice(0, 20).map((id) => id.replace(/\p{C}/gu, '?').slice(0, 40));
  return shown.join(', ') + (ids.size > shown.length ? `, and ${ids.size - shown.length} more` : '');
}

/** Sweeps the turns in order of start; `merged` are the lines that only lengthened a turn of their speaker. */
function mergeTurns(lines: readonly SpeakerLine[], streamId: string): { turns: SpeakerTurn[]; merged: number[] } {
  const latest = new Map<string, number>();
  const turns: SpeakerTurn[] = [];
  const merged: number[] = [];
  for (const { line, name, startMs, endMs } of [...lines].sort((a, b) => a.startMs - b.startMs)) {
    const speaker = speakerFromName(name, 'rttm');
    const index = latest.get(speaker.id) ?? -1;
    const last = turns[index];
    if (last && startMs <= last.endMs) {
      const longerMs = Math.max(last.endMs, endMs);
      turns[index] = { ...last, endMs: longerMs, arrivalMs: longerMs };
      merged.push(line);
    } else {
      latest.set(
        speaker.id,
        turns.push({ type: 'speakerTurn', arrivalMs: endMs, streamId, speaker, startMs, endMs }) - 1,
      );
    }
  }
  return { turns, merged };
}

function toProblems(lines: readonly RttmLine[], merged: readonly number[]): readonly SidecarProblem[] {
  const problems: SidecarProblem[] = [];
  const others = lines.filter((line) => line.kind === 'other');
  for (const { line, ...entry } of lines) {
    if (entry.kind === 'broken') problems.push({ line, rule: entry.rule });
  }
  for (const line of merged) problems.push({ line, rule: 'merged with an overlapping turn of its speaker' });
  problems.sort((a, b) => a.line - b.line);
  const [other] = others;
  if (other)
    problems.unshift({ line: other.line, rule: `${others.length} lines of a type other than SPEAKER ignored` });
  const over = problems.length - RTTM_LIMITS.problems;
  if (over <= 0) return problems;
  return [...problems.slice(0, RTTM_LIMITS.problems), { line: 0, rule: `${over} further problems not listed` }];
}
