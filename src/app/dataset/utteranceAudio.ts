import type { AudioBlock } from '../../adapter.ts';
import { UndertoneError } from '../../errors.ts';
import { createAudioRing, SAMPLE_RATE_HZ } from '../../operators/audioRing.ts';

/** The longest utterance that is measured, in ms: 10 minutes, 38 MB of samples. */
export const MAX_UTTERANCE_MS = 600_000;

/** The part of a file that is an utterance: `[startMs, endMs)`. `index` is its row. */
export type Cut = { readonly index: number; readonly startMs: number; readonly endMs: number };

/** The sound of an utterance, 16 kHz mono; shorter than its cut, or empty, where the file ends before it. */
export type CutAudio = { readonly index: number; readonly samples: Float32Array };

const BLOCK_MS = 100;

/**
 * Yields the sound of each cut of a file as soon as it is complete, cut by the ring that cuts it in a live session. Holds
 * as much as the longest cut, and leaves the file when no cut is left. A file that fails yields what was complete before.
 * @throws RangeError for a cut that is empty or longer than {@link MAX_UTTERANCE_MS}.
 */
export async function* cutAudio(blocks: AsyncIterable<AudioBlock>, cuts: readonly Cut[]): AsyncGenerator<CutAudio> {
  const waiting = [...cuts].sort((a, b) => a.endMs - b.endMs);
  const longestMs = cuts.reduce((longest, { startMs, endMs }) => Math.max(longest, endMs - startMs), 0);
  if (longestMs > MAX_UTTERANCE_MS) throw new RangeError(`a cut must not be longer than ${MAX_UTTERANCE_MS} ms`);
  if (cuts.some(({ startMs, endMs }) => !(endMs > startMs))) throw new RangeError('a cut must end after it starts');
  const ring = createAudioRing(longestMs + 2 * BLOCK_MS);
  for await (const { startMs, samples } of blocks) {
    ring.write(startMs, samples);
    const heardMs = startMs + (samples.length * 1000) / SAMPLE_RATE_HZ;
    for (let next = waiting[0]; next !== undefined && heardMs - next.endMs >= 1; next = waiting[0]) {
      waiting.shift();
      yield { index: next.index, samples: ring.read(next) };
    }
    if (waiting.length === 0) return;
  }
  for (const cut of waiting) yield { index: cut.index, samples: ring.read(cut) };
}

/** Returns all sound of a file. @throws UndertoneError LIMIT_EXCEEDED past {@link MAX_UTTERANCE_MS}, and the reader's */
export async function wholeAudio(blocks: AsyncIterable<AudioBlock>): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  let length = 0;
  for await (const { samples } of blocks) {
    parts.push(samples);
    length += samples.length;
    if (length > (MAX_UTTERANCE_MS * SAMPLE_RATE_HZ) / 1000)
      throw new UndertoneError('LIMIT_EXCEEDED', `an utterance is longer than ${MAX_UTTERANCE_MS / 60_000} minutes`);
  }
  const all = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
