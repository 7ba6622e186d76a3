import type { VoiceActivityDetector, VoiceActivityStream } from '../../adapter.ts';
import type { Observation } from '../../domain/observation.ts';
import type { SourceEvent } from '../../server/ingest/sourceEvent.ts';

/** A hole longer than this makes the detector begin anew; a shorter one only moves its frames. */
const RESET_MS = 400;

/** Turns what producers sent into observations, listening to the sound. One event after another. */
export type LiveListener = { take(event: SourceEvent): Promise<readonly Observation[]>; close(): void };

type Ear = { readonly stream: VoiceActivityStream; baseMs: number; frames: number; endMs: number };

/** Returns the listener of one session; it holds a detector stream for each stream of sound that is open. */
export function createLiveListener(vad: VoiceActivityDetector): LiveListener {
  const ears = new Map<string, Ear>();
  const earOf = (streamId: string, startMs: number): Ear => {
    const known = ears.get(streamId);
    if (known && Math.abs(startMs - known.endMs) <= RESET_MS) {
      known.baseMs += startMs - known.endMs;
      return known;
    }
    known?.stream.close();
    const ear = { stream: vad.open(), baseMs: startMs, frames: 0, endMs: startMs };
    ears.set(streamId, ear);
    return ear;
  };
  const forget = (streamId: string): void => {
    ears.get(streamId)?.stream.close();
    ears.delete(streamId);
  };
  return {
    take: async (event) => {
      if (event.type === 'picture') return [];
      if (event.type === 'streamClosed') forget(event.streamId);
      if (event.type !== 'audio') return [event];
      const { streamId, startMs, samples, arrivalMs } = event;
      const ear = earOf(streamId, startMs);
      const { frameMs } = ear.stream;
      ear.endMs = startMs + samples.length / 16;
      const speech = await ear.stream.process(samples);
      const speechStartMs = ear.baseMs + ear.frames * frameMs;
      ear.frames += speech.length;
      return [{ type: 'voice', arrivalMs, streamId, startMs, samples, speech, speechStartMs, frameMs }];
    },
    close: () => {
      for (const streamId of [...ears.keys()]) forget(streamId);
    },
  };
}
