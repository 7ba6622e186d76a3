import { describe, expect, it } from 'vitest';
import { createLiveListener } from '../../../src/app/serve/listenLive.ts';
import type { Observation, VoiceActivity } from '../../../src/domain/observation.ts';
import type { SourceEvent } from '../../../src/server/ingest/sourceEvent.ts';
import { loudnessDetector } from '../../support/liveServer.ts';

/** Sound of `length` samples that counts up from `first`, loud enough to be speech from a tenth on. */
function audio(startMs: number, length = 320, first = 0): Extract<SourceEvent, { type: 'audio' }> {
  const samples = Float32Array.from({ length }, (_, i) => (first + i) / 10_000);
  return { type: 'audio', arrivalMs: startMs + length / 16, streamId: 'mic', startMs, samples };
}

async function heard(events: readonly SourceEvent[]): Promise<readonly Observation[]> {
  const listener = createLiveListener(loudnessDetector());
  const made = events.map((event) => listener.take(event));
  const all: Observation[] = [];
  for (const one of made) all.push(...(await one));
  listener.close();
  return all;
}
const voices = (observations: readonly Observation[]): readonly VoiceActivity[] =>
  observations.filter((one) => one.type === 'voice');
const samplesOf = (observations: readonly Observation[]): readonly number[] =>
  voices(observations).flatMap(({ samples }) => [...samples]);

describe('createLiveListener', () => {
  it('tells sound with the piece that completes a frame, at the time of that piece', async () => {
    const told = voices(await heard([audio(0), audio(20, 320, 320), audio(40, 320, 640), audio(60, 320, 960)]));
    expect(told.map(({ startMs, arrivalMs, samples }) => [startMs, arrivalMs, samples.length])).toEqual([
      [0, 40, 640],
      [40, 80, 640],
    ]);
    expect(told.map(({ speech, speechStartMs }) => [speechStartMs, ...speech])).toEqual([
      [0, 0],
      [32, 1],
    ]);
  });

  it('tells every sample once and in order, whatever the pieces', async () => {
    const sizes = [1, 511, 512, 513, 40, 2_000, 3, 320, 320, 900];
    let at = 0;
    const events = sizes.map((size) => {
      const event = audio(at / 16, size, at);
      at += size;
      return event;
    });
    const closed = { type: 'streamClosed', arrivalMs: 9_999, streamId: 'mic', reason: 'track_ended' } as const;
    const all = await heard([...events, closed]);
    const whole = await heard([audio(0, at), closed]);
    expect(samplesOf(all)).toEqual(samplesOf(whole));
    const speech = (some: readonly Observation[]): unknown =>
      voices(some).flatMap((voice) => [...voice.speech].map((p, i) => [voice.speechStartMs + i * voice.frameMs, p]));
    expect(speech(all)).toEqual(speech(whole));
  });

  it('begins to listen to the next piece before the one before has been looked at', () => {
    const opened: number[] = [];
    const listener = createLiveListener({
      name: 'slow',
      open: () => ({
        frameMs: 32,
        process: async (samples) => {
          opened.push(samples.length);
          return new Promise<Float32Array>(() => undefined);
        },
        close: () => undefined,
      }),
      close: async () => undefined,
    });
    for (const startMs of [0, 32, 64]) void listener.take(audio(startMs, 512));
    expect(opened).toEqual([512, 512, 512]);
  });

  it('tells what it holds before its stream closes or is interrupted, and before consent changes', async () => {
    const ends = [
      { type: 'streamClosed', arrivalMs: 30, streamId: 'mic', reason: 'track_ended' },
      { type: 'streamInterrupted', arrivalMs: 30, streamId: 'mic', reason: 'muted' },
      {
        type: 'consent',
        arrivalMs: 30,
        speaker: { id: 'a', name: 'A', source: 'track' },
        modalities: [],
        reason: 'consent',
      },
    ] as const;
    for (const end of ends) {
      const told = await heard([audio(0), end]);
      expect(told.map(({ type }) => type)).toEqual(['voice', end.type]);
      expect(told[0]).toMatchObject({ startMs: 0, arrivalMs: 20, speech: new Float32Array(0) });
    }
    const other = { type: 'streamInterrupted', arrivalMs: 30, streamId: 'other', reason: 'muted' } as const;
    expect((await heard([audio(0), other])).map(({ type }) => type)).toEqual(['streamInterrupted']);
  });

  it('moves its frames over a short hole, and begins anew after a long one, without sound that would span it', async () => {
    const short = voices(await heard([audio(0), audio(120, 512, 320)]));
    expect(short.map(({ startMs, samples, speechStartMs }) => [startMs, samples.length, speechStartMs])).toEqual([
      [0, 320, 0],
      [120, 512, 100],
    ]);
    const long = voices(await heard([audio(0), audio(1_000, 512)]));
    expect(long.map(({ startMs, samples, speechStartMs }) => [startMs, samples.length, speechStartMs])).toEqual([
      [0, 320, 0],
      [1_000, 512, 1_000],
    ]);
  });

  it('passes on at once what is no sound, and leaves pictures to whoever looks at them', async () => {
    const time = { type: 'time', arrivalMs: 5 } as const;
    const picture = { type: 'picture', arrivalMs: 5, streamId: 'v', atMs: 5, jpeg: new Uint8Array(2) } as const;
    const listener = createLiveListener(loudnessDetector());
    expect(listener.take(time)).toEqual([time]);
    expect(listener.take(picture)).toEqual([]);
  });
});
