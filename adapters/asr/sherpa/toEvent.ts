import type { RecognizerEvent } from '../../../src/adapter.ts';
import { clamp } from '../../../src/domain/clamp.ts';
import type { SherpaResult } from './messages.ts';

type Word = { text: string; readonly startMs: number; lastMs: number; readonly logPs: (number | undefined)[] };

/** A word whose last token is the last of all is taken to last so much longer; nothing tells when it ended. */
const TOKEN_MS = 80;

/**
 * Returns what a result says, or `null` when it has no word. A token that begins with a blank begins a word. A word ends where the
 * next begins, but at most 80 ms after its last token began. Confidence is the mean probability of the tokens, when the model
 * tells it. Without times of tokens, the text is that of the whole piece of sound.
 */
export function toEvent(result: SherpaResult, afterMs: number): RecognizerEvent | null {
  const words = toWords(result);
  const speaker = result.speaker === undefined ? {} : { speakerLabel: result.speaker };
  const timed = words.map(({ text, startMs, lastMs, logPs }, index) => {
    const from = clamp(startMs, afterMs, result.givenMs);
    const nextMs = clamp(words[index + 1]?.startMs ?? result.givenMs, from, result.givenMs);
    return { text, startMs: from, endMs: clamp(lastMs + TOKEN_MS, from, nextMs), ...toConfidence(logPs) };
  });
  const [first] = timed;
  const last = timed.at(-1);
  if (first === undefined || last === undefined) return toUntimed(result, afterMs);
  const text = timed.map((word) => word.text).join(' ');
  const span = { startMs: first.startMs, endMs: Math.max(first.startMs + 1, last.endMs), text, ...speaker };
  if (!result.isFinal) return { type: 'interim', ...span };
  return { type: 'final', ...span, words: timed, ...toConfidence(words.flatMap(({ logPs }) => logPs)) };
}

function toUntimed(
  { text, offsetMs, givenMs, isFinal, speaker }: SherpaResult,
  afterMs: number,
): RecognizerEvent | null {
  const plain = text.trim().replace(/\s+/gu, ' ');
  const startMs = Math.max(offsetMs, afterMs);
  if (plain === '' || givenMs <= startMs) return null;
  const more = speaker === undefined ? {} : { speakerLabel: speaker };
  return { type: isFinal ? 'final' : 'interim', startMs, endMs: givenMs, text: plain, ...more };
}

function toWords({ tokens }: SherpaResult): readonly Word[] {
  const words: Word[] = [];
  for (const { text, atMs, logP } of tokens) {
    const plain = text.trim();
    const last = words.at(-1);
    if (last === undefined || /^[\s▁]/u.test(text)) {
      words.push({ text: plain.replace(/^▁+/u, ''), startMs: atMs, lastMs: atMs, logPs: [logP] });
      continue;
    }
    last.text += plain;
    last.lastMs = atMs;
    last.logPs.push(logP);
  }
  return words.filter(({ text }) => text !== '');
}

function toConfidence(logs: readonly (number | undefined)[]): { readonly confidence?: number } {
  const known = logs.flatMap((log) => (log === undefined ? [] : [Math.exp(log)]));
  if (known.length === 0) return {};
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return { confidence: Number.isFinite(mean) ? clamp(mean, 0, 1) : 0 };
}
