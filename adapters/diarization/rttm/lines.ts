import { isSpeakerName } from '../../../src/domain/speaker.ts';
import { UndertoneError } from '../../../src/errors.ts';

/** The limits of an RTTM file; beyond them it is refused (LIMIT_EXCEEDED). */
export const RTTM_LIMITS: Readonly<Record<'fileBytes' | 'lines' | 'problems' | 'nameChars', number>> = {
  fileBytes: 52_428_800,
  lines: 500_000,
  /** Problems that are listed one by one; the rest is counted. */
  problems: 1_000,
  /** A line with a longer file id or speaker name is not used. */
  nameChars: 200,
};

/** A SPEAKER line of any recording, or the rule that a line breaks. `line` counts from 1. */
export type RttmLine =
  | {
      readonly kind: 'speaker';
      readonly line: number;
      readonly fileId: string;
      readonly name: string;
      readonly startMs: number;
      readonly endMs: number;
    }
  | { readonly kind: 'other'; readonly line: number }
  | { readonly kind: 'broken'; readonly line: number; readonly rule: string };

/**
 * Returns the lines of an RTTM file (NIST Rich Transcription) but blank ones and `;;` comments: `SPEAKER
 * file channel start duration <NA> <NA> name <NA> [<NA>]`, times in seconds, fields parted by blanks or tabs.
 * @throws UndertoneError LIMIT_EXCEEDED past {@link RTTM_LIMITS}, FILE_EMPTY when there is nothing but blanks.
 */
export function parseRttmLines(bytes: Uint8Array): readonly RttmLine[] {
  if (bytes.length > RTTM_LIMITS.fileBytes) {
    throw new UndertoneError('LIMIT_EXCEEDED', `RTTM: ${bytes.length} bytes, at most ${RTTM_LIMITS.fileBytes}`);
  }
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes);
  if (text.trim() === '') throw new UndertoneError('FILE_EMPTY', 'RTTM: the file has no content');
  const lines = text.split(/\r\n|\r|\n/, RTTM_LIMITS.lines + 1);
  if (lines.length > RTTM_LIMITS.lines) {
    throw new UndertoneError('LIMIT_EXCEEDED', `RTTM: more than ${RTTM_LIMITS.lines} lines`);
  }
  return lines.flatMap((content, index) => toLine(content.trim(), index + 1) ?? []);
}

/** A recording's sanity limit: turns past 10,000 hours are broken lines. */
const MAX_SECONDS = 36_000_000;

/** Fields looked at; more than the ten of the format are not split, whatever the line holds. */
const MAX_FIELDS = 11;

function toLine(content: string, line: number): RttmLine | undefined {
  if (content === '' || content.startsWith(';')) return undefined;
  const fields = content.split(/\s+/, MAX_FIELDS);
  const [type, fileId = '', , start = '', duration = '', , , name = ''] = fields;
  if (type !== 'SPEAKER') return { kind: 'other', line };
  const broken = (rule: string): RttmLine => ({ kind: 'broken', line, rule });
  if (fields.length !== 9 && fields.length !== 10) return broken('a SPEAKER line has 9 or 10 fields');
  const startMs = toMs(start);
  const durationMs = toMs(duration);
  if (startMs === undefined || durationMs === undefined) return broken('start and duration are seconds, 0 or more');
  if (durationMs === 0) return broken('duration is 0');
  if (name === '<NA>' || !isSpeakerName(name)) return broken('no speaker name');
  if (Math.max(name.length, fileId.length) > RTTM_LIMITS.nameChars) {
    return broken(`file id or speaker name over ${RTTM_LIMITS.nameChars} characters`);
  }
  return { kind: 'speaker', line, fileId, name, startMs, endMs: startMs + durationMs };
}

function toMs(field: string): number | undefined {
  if (!/^\+?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,2})?$/.test(field)) return undefined;
  const seconds = Number(field);
  return seconds <= MAX_SECONDS ? Math.round(seconds * 1000) : undefined;
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}
