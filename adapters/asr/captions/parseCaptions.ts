import type { ParsedCaptions } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { Cue, ProblemList } from './cue.ts';
import { CAPTION_LIMITS, createProblemList } from './cue.ts';
import { isJson, parseJsonCaptions } from './jsonCaptions.ts';
import { isSubRip, parseSubRip } from './subRip.ts';
import { decodeText } from './text.ts';
import { toTranscripts } from './toTranscripts.ts';
import { isWebVtt, parseWebVtt } from './webVtt.ts';

/** The formats of captions files that are read. */
export const CAPTION_FORMATS = ['vtt', 'srt', 'json'] as const;
/** One format of {@link CAPTION_FORMATS}. */
export type CaptionFormat = (typeof CAPTION_FORMATS)[number];

/** Whose captions they are; without `format` the content decides. */
export type CaptionOptions = { readonly streamId: string; readonly format?: CaptionFormat };

/**
 * Returns the transcripts of a captions file in order of arrival (ties keep the file's order), and what was left out or
 * mended. A cue arrives when it ends, as from a live captioner, unless the file says when it arrived. A cue with several
 * speakers becomes several transcripts that share its time in proportion to their text. Cues may overlap.
 *
 * Left out: cues without text, without readable times, or ending before they start. Mended: a cue ending when it starts
 * (it gets the time its text takes at 15 characters a second), text over the limit (cut), a name over the limit
 * (no speaker), arrival before the start (the end instead).
 * @throws UndertoneError FILE_EMPTY; BAD_CAPTIONS when it is none of the formats, LIMIT_EXCEEDED past
 * {@link CAPTION_LIMITS}. Nothing else is thrown, whatever the bytes.
 */
export function parseCaptions(bytes: Uint8Array, options: CaptionOptions): ParsedCaptions {
  const problems = createProblemList();
  const cues = readCues(bytes, options.format, problems);
  if (cues.length > CAPTION_LIMITS.cues) throw tooMany('cues', cues.length);
  const transcripts = cues.flatMap((cue) => toTranscripts(cue, options.streamId, problems));
  if (transcripts.length > CAPTION_LIMITS.cues) throw tooMany('voice spans', transcripts.length);
  return { transcripts: transcripts.sort((a, b) => a.arrivalMs - b.arrivalMs), problems: problems.list() };
}

function readCues(bytes: Uint8Array, asked: CaptionFormat | undefined, problems: ProblemList): readonly Cue[] {
  const { text, isLossy } = decodeText(bytes);
  const format = asked ?? detectFormat(text);
  if (isLossy)
    problems.add(1, format === 'srt' ? 'not UTF-8, read as Windows-1252' : 'bytes that are not UTF-8 replaced');
  switch (format) {
    case 'vtt':
      return parseWebVtt(text, problems);
    case 'srt':
      return parseSubRip(isLossy ? new TextDecoder('windows-1252').decode(bytes) : text, problems);
    case 'json':
      return parseJsonCaptions(text, problems);
  }
}

function detectFormat(text: string): CaptionFormat {
  if (isWebVtt(text)) return 'vtt';
  if (isJson(text)) return 'json';
  if (isSubRip(text)) return 'srt';
  throw new UndertoneError('BAD_CAPTIONS', 'captions: neither WebVTT nor SRT nor JSON captions');
}

function tooMany(what: string, count: number): UndertoneError {
  return new UndertoneError('LIMIT_EXCEEDED', `captions: ${count} ${what}, at most ${CAPTION_LIMITS.cues}`);
}
