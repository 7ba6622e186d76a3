import type { TranscriptMessage } from '../protocol/live.ts';
import { MAX_MEDIA_MS } from '../protocol/mediaFrame.ts';

/** Longest text of one transcript, in UTF-16 code units: that of the protocol. */
export const MAX_TEXT_CHARS = 10_000;

/** Words to send; `sequence` is counted by the producer. */
export type TranscriptOption = Omit<TranscriptMessage, 'type' | 'sequence' | 'streamId'>;

/** @throws RangeError when the text is too long, or the times break a rule. */
export function checkTranscript({ startMs, endMs, text }: TranscriptOption): void {
  if (text.length > MAX_TEXT_CHARS)
    throw new RangeError(`text must have at most ${MAX_TEXT_CHARS} characters, got ${text.length}`);
  checkMediaMs('startMs', startMs);
  checkMediaMs('endMs', endMs);
  if (endMs < startMs) throw new RangeError(`endMs must not be before startMs, got ${endMs} before ${startMs}`);
}

/** Returns a transcript with every time put through `toWire`. */
export function mapTimes(transcript: TranscriptOption, toWire: (mediaMs: number) => number): TranscriptOption {
  const words = transcript.words?.map((word) => ({
    ...word,
    startMs: toWire(word.startMs),
    endMs: toWire(word.endMs),
  }));
  return {
    ...transcript,
    startMs: toWire(transcript.startMs),
    endMs: toWire(transcript.endMs),
    ...(words && { words }),
  };
}

/** @throws RangeError when a media time is not one. */
export function checkMediaMs(name: string, value: number): void {
  if (!(value >= 0 && value < MAX_MEDIA_MS))
    throw new RangeError(`${name} must be from 0 to below ${MAX_MEDIA_MS}, got ${value}`);
}
