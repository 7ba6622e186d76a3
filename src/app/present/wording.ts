import type { UtteranceInsight } from '../../domain/insight.ts';
import type { MissingReason } from '../../domain/modality.ts';
import { cleanText } from './cleanText.ts';

/** Returns a time of the session as `01:02.3`, or from one hour on as `1:02:03`. Negative times count as 0. */
export function timeText(ms: number): string {
  const tenths = Math.floor(Math.max(0, ms) / 100);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, seconds] = [
    Math.floor(tenths / 36_000),
    Math.floor(tenths / 600) % 60,
    Math.floor(tenths / 10) % 60,
  ];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}.${tenths % 10}`;
}

/** Returns a length of time as `01:02` or, from one hour on, `1:02:03`; rounded to the second. */
export function durationText(ms: number): string {
  const text = timeText(Math.round(ms / 1000) * 1000);
  return text.replace(/\.0$/, '');
}

/** Returns a ratio as `72 %`. Only exactly 0 and 1 read `0 %` and `100 %`. */
export function percentText(ratio: number): string {
  if (ratio <= 0) return '0 %';
  if (ratio >= 1) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round(ratio * 100)))} %`;
}

/** Returns a missing reason in words: `no_captions` is "no captions". */
export function reasonText(reason: MissingReason | undefined): string {
  return reason?.replaceAll('_', ' ') ?? 'no reason given';
}

/** Returns what was said, safe to show, or why there is no text, as `(no text: no captions)`. */
export function spokenText(utterance: Pick<UtteranceInsight, 'text' | 'availability'>): string {
  if (utterance.text !== null) return cleanText(utterance.text);
  return `(no text: ${reasonText(utterance.availability.text.reason)})`;
}

/** Returns a number with its noun, as `1 fault`, `2 faults` and `1,200 utterances`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
