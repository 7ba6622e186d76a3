import type { MediaReader, VoiceActivityDetector } from '../../adapter.ts';
import type { Observation, StreamClosed } from '../../domain/observation.ts';
import { isUndertoneError } from '../../errors.ts';
import type { Looking } from '../models/openLooking.ts';
import { createCameraWatch } from './cameraActivity.ts';
import type { AudioInput, ReplayInputs, VideoInput } from './inputs.ts';
import { readAhead } from './readAhead.ts';
import { seePictures } from './seePictures.ts';
import { mergeMoments, type Moment } from './timeline.ts';

/** How often a picture is looked at to see whether the camera is on. */
const CAMERA_FRAMES = { framesPerSecond: 2, width: 32, height: 18, format: 'gray' } as const;
/** A stream that ends less than this before all others has not ended early. */
const SAME_END_MS = 1_000;
/** Pictures of each video that are looked at ahead of the rest: the videos of a call are looked at at the same time. */
const AHEAD = 5;

/**
 * Yields what a recorded call shows and says, in order of arrival: sound arrives as it is played, a caption or a turn when
 * it is over (or when the file says it arrived), what pictures show when they are shown. Decoding is pulled, so memory does not grow with the recording.
 */
export async function* observeRecording(
  inputs: ReplayInputs,
  reader: MediaReader,
  vad: VoiceActivityDetector | undefined,
  looking?: Looking,
): AsyncGenerator<Moment> {
  yield { atMs: 0, observations: openings(inputs) };
  const sources = [
    ...inputs.audio.map((input) => listen(input, reader, vad as VoiceActivityDetector)),
    ...inputs.video.map((input) => watch(input, reader)),
    ...(looking ? inputs.video.map((input) => readAhead(seePictures(input, reader, looking), AHEAD)) : []),
    fromList(inputs.turns),
    fromList(inputs.captions),
  ];
  const media = [...inputs.audio, ...inputs.video].map(({ streamId }) => streamId);
  yield* withoutLastClosings(withinRecording(mergeMoments(sources), media));
}

function openings(inputs: ReplayInputs): Observation[] {
  const opened = (
    kind: 'audio' | 'video' | 'captions',
    streamId: string,
    speaker: AudioInput['speaker'],
  ): Observation => ({
    type: 'streamOpened',
    arrivalMs: 0,
    streamId,
    kind,
    ...(speaker && { speaker }),
  });
  return [
    ...inputs.audio.map(({ streamId, speaker, sampleRateHz }) => ({
      ...opened('audio', streamId, speaker),
      ...(sampleRateHz !== undefined && { sampleRateHz }),
    })),
    ...inputs.video.map(({ streamId, speaker }) => opened('video', streamId, speaker)),
    ...(inputs.hasCaptions ? [opened('captions', 'captions', undefined)] : []),
  ];
}

async function* fromList(list: readonly Observation[]): AsyncGenerator<Moment> {
  for (const observation of list) yield { atMs: observation.arrivalMs, observations: [observation] };
}

async function* listen(input: AudioInput, reader: MediaReader, vad: VoiceActivityDetector): AsyncGenerator<Moment> {
  const { streamId, path, channel } = input;
  const stream = vad.open();
  let frames = 0;
  let atMs = 0;
  try {
    for await (const { startMs, samples } of reader.decodeAudio(path, channel === undefined ? {} : { channel })) {
      const speech = await stream.process(samples);
      const speechStartMs = frames * stream.frameMs;
      frames += speech.length;
      atMs = startMs + samples.length / 16;
      yield {
        atMs,
        observations: [
          {
            type: 'voice',
            arrivalMs: atMs,
            streamId,
            startMs,
            samples,
            speech,
            speechStartMs,
            frameMs: stream.frameMs,
          },
        ],
      };
    }
    yield ended(streamId, atMs);
  } catch (error) {
    yield broken(error, 'sound', { streamId, atMs });
  } finally {
    stream.close();
  }
}

async function* watch(input: VideoInput, reader: MediaReader): AsyncGenerator<Moment> {
  const { streamId, path, area } = input;
  const camera = createCameraWatch();
  let lastMs = 0;
  try {
    for await (const frame of reader.decodeVideo(path, { ...CAMERA_FRAMES, ...(area && { area }) })) {
      lastMs = frame.atMs;
      const change = camera(frame);
      yield {
        atMs: lastMs,
        observations: change ? [{ type: 'camera', arrivalMs: lastMs, streamId, isOn: change.isOn }] : [],
      };
    }
    yield ended(streamId, lastMs);
  } catch (error) {
    yield broken(error, 'picture', { streamId, atMs: lastMs });
  }
}

function ended(streamId: string, atMs: number): Moment {
  return { atMs, observations: [{ type: 'streamClosed', arrivalMs: atMs, streamId, reason: 'track_ended' }] };
}

/** A file that breaks off is a fault; anything else is not ours to survive. */
function broken(
  error: unknown,
  part: 'sound' | 'picture',
  { streamId, atMs }: { readonly streamId: string; readonly atMs: number },
): Moment {
  if (!isUndertoneError(error) || error.code !== 'DECODE_ERROR') throw error;
  return {
    atMs,
    observations: [
      { type: 'fault', arrivalMs: atMs, streamId, code: error.code, message: `${part} of ${error.message}` },
      { type: 'streamClosed', arrivalMs: atMs, streamId, reason: 'decode_error' },
    ],
  };
}

/** Lets captions and turns that lie beyond the end of sound and picture arrive at that end: nobody waits for them. */
async function* withinRecording(moments: AsyncIterable<Moment>, media: readonly string[]): AsyncGenerator<Moment> {
  const running = new Set(media);
  let endMs = media.length > 0 ? 0 : Infinity;
  for await (const { atMs, observations } of moments) {
    if (running.size === 0 && atMs > endMs) {
      yield { atMs: endMs, observations: observations.map((late) => ({ ...late, arrivalMs: endMs })) };
      continue;
    }
    for (const observation of observations)
      if (observation.type === 'streamClosed') running.delete(observation.streamId);
    if (media.length > 0) endMs = atMs;
    yield { atMs, observations };
  }
}

/** Drops "track ended" of the streams that end with the recording: only what ends earlier is missing afterwards. */
async function* withoutLastClosings(moments: AsyncIterable<Moment>): AsyncGenerator<Moment> {
  let waiting: StreamClosed[] = [];
  for await (const { atMs, observations } of moments) {
    const due = waiting.filter((closing) => atMs > closing.arrivalMs + SAME_END_MS);
    waiting = waiting.filter((closing) => !due.includes(closing));
    const passed: Observation[] = due.map((closing) => ({ ...closing, arrivalMs: atMs }));
    for (const observation of observations)
      if (observation.type === 'streamClosed' && observation.reason === 'track_ended') waiting.push(observation);
      else passed.push(observation);
    yield { atMs, observations: passed };
  }
}
