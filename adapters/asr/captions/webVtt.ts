import { UndertoneError } from '../../../src/errors.ts';
import { parseTiming, toBlocks } from './blocks.ts';
import type { Cue, CueSpan, ProblemList } from './cue.ts';
import { CAPTION_LIMITS } from './cue.ts';
import { withLabels } from './labels.ts';
import { toLines, withEntities, withoutTags } from './text.ts';

/** Returns whether a text begins like a WebVTT file. */
export function isWebVtt(text: string): boolean {
  return /^WEBVTT(?:[ \t\r\n]|$)/.test(text);
}

/**
 * Returns the cues of a WebVTT file (W3C WebVTT), read as leniently as players do. Voice spans name the
 * speaker; a file that has none at all is read for `Name: text` lines. NOTE, STYLE and REGION blocks and cue settings
 * are skipped, markup is removed, `Language:` in the header becomes the cues' language.
 * @throws UndertoneError BAD_CAPTIONS when the file does not begin with WEBVTT, LIMIT_EXCEEDED past the limit of lines.
 */
export function parseWebVtt(text: string, problems: ProblemList): readonly Cue[] {
  if (!isWebVtt(text)) throw new UndertoneError('BAD_CAPTIONS', 'captions: a WebVTT file begins with WEBVTT');
  const lines = toLines(text);
  const language = headerLanguage(lines);
  const cues: Cue[] = [];
  for (const block of toBlocks(lines.slice(1), 2)) {
    if (block.timing === undefined) {
      if (block.line > 2 && !isSkippedBlock(block.payload)) problems.add(block.line, 'text without a timing line');
      continue;
    }
    const timing = parseTiming(block.timing);
    if (timing) cues.push({ line: block.line, ...timing, ...language, spans: [{ text: block.payload.join('\n') }] });
    else problems.add(block.line, 'timing line cannot be read');
  }
  const hasVoices = cues.some((cue) => cue.spans.some((span) => span.text.search(VOICE_TAG) >= 0));
  const told = hasVoices ? cues.map((cue) => ({ ...cue, spans: cue.spans.flatMap(toVoiceSpans) })) : withLabels(cues);
  return told.map((cue) => ({ ...cue, spans: cue.spans.map(withoutMarkup) }));
}

/** `<v Name>`, `<v.class Name>` and `</v>`; the first group is the name. */
const VOICE_TAG = /<\/?v(?:\.[^\s<>]*)?(?:[ \t\n]([^<>]*))?>/g;

function isSkippedBlock(payload: readonly string[]): boolean {
  return /^(?:NOTE|STYLE|REGION)(?:[ \t]|$)/.test(payload[0] ?? '');
}

function headerLanguage(lines: readonly string[]): { readonly language?: string } {
  for (const line of lines.slice(1, 20)) {
    if (line.trim() === '' || line.includes('-->')) break;
    const language = /^Language:\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4})\s*$/i.exec(line)?.[1];
    if (language !== undefined) return { language };
  }
  return {};
}

function toVoiceSpans(span: CueSpan): CueSpan[] {
  const spans: CueSpan[] = [];
  let name: string | undefined;
  let from = 0;
  const push = (to: number): void => {
    spans.push({ ...(name === undefined ? {} : { name }), text: span.text.slice(from, to) });
  };
  for (const tag of span.text.slice(0, CAPTION_LIMITS.cueChars).matchAll(VOICE_TAG)) {
    push(tag.index);
    name = tag[1];
    from = tag.index + tag[0].length;
  }
  push(span.text.length);
  return spans;
}

function withoutMarkup(span: CueSpan): CueSpan {
  const text = withEntities(withoutTags(span.text));
  return span.name === undefined ? { text } : { name: withEntities(span.name), text };
}
