import type { VoiceActivityDetector, VoiceActivityStream } from '../../adapter.ts';
import type { Observation, VoiceActivity } from '../../domain/observation.ts';
import type { AudioHeard, SourceEvent } from '../../server/ingest/sourceEvent.ts';

/** A hole longer than this makes the detector begin anew; a shorter one only moves its frames. */
const RESET_MS = 400;
const SAMPLES_PER_MS = 16;
const NONE = new Float32Array(0);

/** What is heard, now or as soon as the detector has looked at it. */
type Heard = readonly Observation[] | Promise<readonly Observation[]>;

/**
 * Turns what producers sent into observations, listening to the sound. The next event may be given before the promise for the
 * one before is settled; observations belong in the order of the events.
 */
export type LiveListener = { take(event: SourceEvent): Heard; close(): void };

/** `inFrame`: samples of the detector's frame that is not complete; `held`: sound that completes none, not yet told. */
type Ear = {
  readonly stream: VoiceActivityStream;
  baseMs: number;
  frames: number;
  endMs: number;
  inFrame: number;
  held: { readonly startMs: number; readonly arrivalMs: number; readonly samples: Float32Array } | undefined;
};

/**
 * Returns the listener of one session; it holds a detector stream for each stream of sound that is open. Sound that completes
 * no frame of the detector is told with the sound that does, or with whatever else happens to its stream.
 */
export function createLiveListener(vad: VoiceActivityDetector): LiveListener {
  const ears = new Map<string, Ear>();
  const forget = (streamId: string): void => {
    ears.get(streamId)?.stream.close();
    ears.delete(streamId);
  };
  const hear = (event: AudioHeard): Heard => {
    const { streamId, startMs } = event;
    let ear = ears.get(streamId);
    const untold = ear && ear.endMs !== startMs ? tellHeld(streamId, ear) : [];
    if (ear && Math.abs(startMs - ear.endMs) > RESET_MS) {
      forget(streamId);
      ear = undefined;
    }
    if (ear) ear.baseMs += startMs - ear.endMs;
    else ear = { stream: vad.open(), baseMs: startMs, frames: 0, endMs: startMs, inFrame: 0, held: undefined };
    ears.set(streamId, ear);
    const told = listen(ear, event);
    if (told instanceof Promise) return untold.length === 0 ? told : told.then((one) => [...untold, ...one]);
    return untold;
  };
  return {
    take: (event) => {
      if (event.type === 'picture') return [];
      if (event.type === 'audio') return hear(event);
      const owners = event.type === 'consent' ? [...ears.keys()] : 'streamId' in event ? [event.streamId ?? ''] : [];
      const untold = owners.flatMap((streamId) => tellHeld(streamId, ears.get(streamId)));
      if (event.type === 'streamClosed') forget(event.streamId);
      return untold.length === 0 ? [event] : [...untold, event];
    },
    close: () => {
      for (const streamId of [...ears.keys()]) forget(streamId);
    },
  };
}

/** Holds sound until it completes a frame; then asks the detector, and counts its frames before it answers. */
function listen(
  ear: Ear,
  { streamId, startMs, samples, arrivalMs }: AudioHeard,
): Promise<readonly Observation[]> | undefined {
  const { frameMs } = ear.stream;
  const frameSamples = frameMs * SAMPLES_PER_MS;
  const { held } = ear;
  const sound = held ? joined(held.samples, samples) : samples;
  const begins = held ? held.startMs : startMs;
  ear.endMs = startMs + samples.length / SAMPLES_PER_MS;
  if (ear.inFrame + sound.length < frameSamples) {
    ear.held = { startMs: begins, arrivalMs, samples: sound };
    return undefined;
  }
  ear.held = undefined;
  const speechStartMs = ear.baseMs + ear.frames * frameMs;
  const inFrame = ear.inFrame + sound.length;
  ear.frames += Math.floor(inFrame / frameSamples);
  ear.inFrame = inFrame % frameSamples;
  return ear.stream
    .process(sound)
    .then((speech) => [
      { type: 'voice', arrivalMs, streamId, startMs: begins, samples: sound, speech, speechStartMs, frameMs },
    ]);
}

/** Tells sound that is held, which completes no frame. */
function tellHeld(streamId: string, ear: Ear | undefined): readonly VoiceActivity[] {
  if (!ear?.held) return [];
  const { held, stream } = ear;
  const speechStartMs = ear.baseMs + ear.frames * stream.frameMs;
  ear.held = undefined;
  ear.inFrame += held.samples.length;
  void stream.process(held.samples);
  return [{ type: 'voice', streamId, ...held, speech: NONE, speechStartMs, frameMs: stream.frameMs }];
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
