import type { RecognizerEvent } from '../../../src/adapter.ts';
import { clamp } from '../../../src/domain/clamp.ts';
import type { TimedWord } from '../../../src/domain/observation.ts';
import { isHallucinated } from './isHallucinated.ts';
import type { SpeechPiece } from './createSegmenter.ts';
import type { WhisperSegment, WhisperToken } from './whisperBinding.ts';

type Final = Extract<RecognizerEvent, { type: 'final' }>;

/**
 * Returns the finals of one piece of speech on the stream's clock, without what is made up. They lie within the piece and
 * after `afterMs`, the end of the final before; words are given when the tokens spell the text.
 */
export function toFinals(piece: SpeechPiece, segments: readonly WhisperSegment[], afterMs: number): readonly Final[] {
  const pieceEndMs = piece.startMs + piece.samples.length / 16;
  const finals: Final[] = [];
  let untilMs = Math.max(piece.startMs, afterMs);
  for (const segment of segments) {
    if (isHallucinated(segment)) continue;
    const startMs = clamp(piece.startMs + segment.from, untilMs, pieceEndMs - 1);
    const endMs = clamp(piece.startMs + segment.to, startMs + 1, Math.max(startMs + 1, pieceEndMs));
    finals.push(toFinal(segment, piece.startMs, startMs, endMs));
    untilMs = endMs;
  }
  return finals;
}

function toFinal(segment: WhisperSegment, offsetMs: number, startMs: number, endMs: number): Final {
  const text = toPlain(segment.text);
  const words = toWords(segment.tokens, offsetMs, startMs, endMs);
  return {
    type: 'final',
    startMs,
    endMs,
    text,
    ...(words.map((word) => word.text).join(' ') === text && { words }),
    confidence: clamp(segment.confidence, 0, 1),
    ...(segment.lang !== undefined && /^[a-z]{2,3}$/u.test(segment.lang) && { language: segment.lang }),
  };
}

/** Joins tokens to words. Special tokens ([_BEG_], [_TT_150]) have no sound. */
function toWords(tokens: readonly WhisperToken[], offsetMs: number, fromMs: number, toMs: number): TimedWord[] {
  const words: { text: string; startMs: number; endMs: number; confidence: number }[] = [];
  let afterMs = fromMs;
  for (const { text, p, from = 0, to = from } of tokens) {
    if (text.startsWith('[_') || text.startsWith('<|')) continue;
    const startMs = clamp(offsetMs + from, afterMs, toMs);
    const endMs = clamp(offsetMs + to, startMs, toMs);
    const last = words.at(-1);
    if (last === undefined || text.startsWith(' ')) {
      words.push({ text: text.trim(), startMs, endMs, confidence: clamp(p, 0, 1) });
      afterMs = startMs;
      continue;
    }
    last.text += text;
    last.endMs = Math.max(last.endMs, endMs);
    last.confidence = Math.min(last.confidence, clamp(p, 0, 1));
  }
  return words.filter(({ text }) => text !== '');
}

function toPlain(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
