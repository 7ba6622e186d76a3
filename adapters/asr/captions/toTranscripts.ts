import type { Transcript } from '../../../src/domain/observation.ts';
import { isSpeakerName, speakerFromName } from '../../../src/domain/speaker.ts';
import type { Cue, CueSpan, ProblemList } from './cue.ts';
import { CAPTION_LIMITS } from './cue.ts';
import { toPlainText } from './text.ts';

/** Speaking rate assumed where a cue has text but no duration: an ordinary pace of English captions. */
const CHARS_PER_SECOND = 15;

/** Returns the transcripts of one cue, none when it is unusable; every mend and omission is added to `problems`. */
export function toTranscripts(cue: Cue, streamId: string, problems: ProblemList): Transcript[] {
  const spans = toSpans(cue, problems);
  if (spans.length === 0) problems.add(cue.line, 'no text');
  else if (cue.endMs < cue.startMs) problems.add(cue.line, 'ends before it starts');
  if (spans.length === 0 || cue.endMs < cue.startMs) return [];
  const endMs = mendEnd(cue, spans, problems);
  const arrivalMs = mendArrival(cue, endMs, problems);
  const shares = toShares(cue.startMs, endMs, spans);
  return spans.map((span, index) => ({
    type: 'transcript',
    arrivalMs,
    streamId,
    ...(span.name === undefined ? {} : { speaker: speakerFromName(span.name, 'captions') }),
    ...(shares[index] ?? { startMs: cue.startMs, endMs }),
    text: span.text,
    ...(cue.language === undefined ? {} : { language: cue.language }),
  }));
}

/** Spans with plain text: empty ones dropped, neighbours of one speaker joined, unusable names removed. */
function toSpans(cue: Cue, problems: ProblemList): readonly CueSpan[] {
  const spans: CueSpan[] = [];
  let room: number = CAPTION_LIMITS.cueChars;
  for (const span of cue.spans) {
    const whole = toPlainText(span.text);
    const text = toPlainText(whole.slice(0, room));
    if (whole.length > room) problems.add(cue.line, `text cut to ${CAPTION_LIMITS.cueChars} characters`);
    room -= text.length;
    if (text === '') continue;
    const name = usableName(span.name, cue.line, problems);
    const last = spans.at(-1);
    if (last && last.name === name) spans.splice(-1, 1, { ...last, text: `${last.text} ${text}` });
    else spans.push(name === undefined ? { text } : { name, text });
  }
  return spans;
}

function usableName(name: string | undefined, line: number, problems: ProblemList): string | undefined {
  if (name === undefined || !isSpeakerName(name)) return undefined;
  if (name.length <= CAPTION_LIMITS.nameChars) return toPlainText(name);
  problems.add(line, `speaker name over ${CAPTION_LIMITS.nameChars} characters`);
  return undefined;
}

function mendEnd(cue: Cue, spans: readonly CueSpan[], problems: ProblemList): number {
  if (cue.endMs > cue.startMs) return cue.endMs;
  problems.add(cue.line, 'ends when it starts, given the time its text takes');
  return cue.startMs + Math.ceil((totalChars(spans) * 1000) / CHARS_PER_SECOND);
}

function mendArrival(cue: Cue, endMs: number, problems: ProblemList): number {
  if (cue.arrivalMs === undefined || cue.arrivalMs >= cue.startMs) return cue.arrivalMs ?? endMs;
  problems.add(cue.line, 'arrives before it starts, taken to arrive when it ends');
  return endMs;
}

type Share = { readonly startMs: number; readonly endMs: number };

/** The part of a cue's time each span gets, in proportion to its characters; whole ms where a character has one. */
function toShares(startMs: number, endMs: number, spans: readonly CueSpan[]): readonly Share[] {
  const msPerChar = (endMs - startMs) / totalChars(spans);
  const shares: Share[] = [];
  let chars = 0;
  for (const [index, span] of spans.entries()) {
    chars += span.text.length;
    const exactMs = startMs + chars * msPerChar;
    const boundaryMs = msPerChar < 1 ? exactMs : Math.round(exactMs);
    shares.push({ startMs: shares.at(-1)?.endMs ?? startMs, endMs: index === spans.length - 1 ? endMs : boundaryMs });
  }
  return shares;
}

function totalChars(spans: readonly CueSpan[]): number {
  return spans.reduce((sum, span) => sum + span.text.length, 0);
}
