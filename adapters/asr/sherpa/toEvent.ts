import type { RecognizerEvent } from '../../../src/adapter.ts';
import type { SherpaResult } from './messages.ts';

type Word = { text: string; readonly startMs: number; lastMs: number; readonly logPs: number[] };

/** A word whose last token is the last of all is taken to last so much longer; nothing tells when it ended. */
const TOKEN_MS = 80;

/**
 * Returns what a result says, or `null` when it has no word. A token that begins with a blank begins a word. A word ends where the
 * next begins, but at most 80 ms after its last token began. Confidence is the mean probability of the tokens.
 */
export function toEvent(result: SherpaResult, afterMs: number): RecognizerEvent | null {
  const words = toWords(result);
  const timed = words.map(({ text, startMs, lastMs, logPs }, index) => {
    const from = clamp(startMs, afterMs, result.givenMs);
    const nextMs = clamp(words[index + 1]?.startMs ?? result.givenMs, from, result.givenMs);
    return { text, startMs: from, endMs: clamp(lastMs + TOKEN_MS, from, nextMs), confidence: toProbability(logPs) };
  });
  const [first] = timed;
  const last = timed.at(-1);
  if (first === undefined || last === undefined) return null;
  const text = timed.map((word) => word.text).join(' ');
  const span = { startMs: first.startMs, endMs: Math.max(first.startMs + 1, last.endMs), text };
  if (!result.isFinal) return { type: 'interim', ...span };
  return { type: 'final', ...span, words: timed, confidence: toProbability(words.flatMap(({ logPs }) => logPs)) };
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

function toProbability(logs: readonly number[]): number {
  const mean = logs.reduce((sum, value) => sum + Math.exp(value), 0) / logs.length;
  return Number.isFinite(mean) ? clamp(mean, 0, 1) : 0;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
