import type { AudioFormat } from '../protocol/live.ts';
import { toPcm16, type Samples } from './samples.ts';

/** A piece of sound as it is sent. */
export type AudioPart = { readonly payload: Uint8Array; readonly startMs: number; readonly endMs: number };

/** Returns how long so many samples of all channels last. */
export function durationMs(samples: number, { channels, sampleRateHz }: AudioFormat): number {
  return (samples / channels / sampleRateHz) * 1_000;
}

/** Yields samples as PCM16 in pieces of at most `maxBytes`, each of whole samples of all channels; at least one of these. */
export function* toAudioParts(
  samples: Samples,
  format: AudioFormat,
  { startMs, maxBytes }: { readonly startMs: number; readonly maxBytes: number },
): Generator<AudioPart> {
  const most = Math.max(1, Math.floor(maxBytes / (2 * format.channels))) * format.channels;
  for (let from = 0; from < samples.length; from += most) {
    const part = samples.subarray(from, from + most);
    yield {
      payload: toPcm16(part),
      startMs: startMs + durationMs(from, format),
      endMs: startMs + durationMs(from + part.length, format),
    };
  }
}
