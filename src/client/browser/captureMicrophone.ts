import type { Producer } from '../producer.ts';
import { type CaptureState, createCaptureStatus, stopWith } from './captureState.ts';
import { openDeviceTrack } from './deviceTrack.ts';
import { openMicrophoneGraph } from './microphoneGraph.ts';
import { createStreamSlot } from './streamSlot.ts';

/** Where the sound comes from, and who is told of its state. */
export type MicrophoneOptions = {
  /** Beside those of {@link MICROPHONE_CONSTRAINTS}; a device, for instance. */
  readonly constraints?: MediaTrackConstraints;
  /** A track that the page has already; then no microphone is asked for, none is stopped, and none takes its place. */
  readonly track?: MediaStreamTrack;
  /** A context of the page's, of any rate; one is made, and closed at the end, unless given. */
  readonly context?: AudioContext;
  /** The module of the worklet; that which lies beside this one unless given. `script-src` must allow its origin. */
  readonly workletUrl?: string | URL;
  readonly onChange?: (state: CaptureState) => void;
};

/** A microphone that sends. */
export type Microphone = {
  readonly state: CaptureState;
  /** Hears nothing until `unmute`, and says so to the server. The device stays open. */
  mute(): void;
  unmute(): void;
  /** Ends the stream and lets go of the device. May be called again. */
  stop(): void;
};

/**
 * One channel, without what the loudspeakers say, since that is not the speaker's voice. Loudness is left as it is, because
 * it is measured.
 */
export const MICROPHONE_CONSTRAINTS: MediaTrackConstraints = {
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: false,
};

/**
 * Sends what a microphone hears on a stream of a producer, in PCM16 of one channel at the rate that the stream was declared
 * with (16 kHz, best), in frames of 20 ms. A device that goes is replaced; while there is none, the stream has ended, and
 * another one, `ID.2`, `ID.3` …, begins with the next device. It stops by itself when the producer is closed.
 * @throws TypeError when the stream is not one of `pcm16` with one channel; UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED
 */
export async function captureMicrophone(
  producer: Producer,
  streamId: string,
  options: MicrophoneOptions = {},
): Promise<Microphone> {
  const rateHz = rateOf(producer, streamId);
  const slot = createStreamSlot(producer, streamId);
  const status = createCaptureStatus([slot], options.onChange);
  const { context, workletUrl } = options;
  const graph = await openMicrophoneGraph({
    context,
    workletUrl,
    rateHz,
    onSamples: (samples) => slot.streamId !== undefined && producer.sendAudio(slot.streamId, samples),
  });
  let isMuted = false;
  const device = await openDeviceTrack({
    kind: 'audio',
    constraints: { ...MICROPHONE_CONSTRAINTS, ...options.constraints },
    given: options.track,
    onTrack: (track) => {
      track.enabled = !isMuted;
      graph.hear(track);
      status.set({ isLost: false });
    },
    onInterrupted: (isInterrupted) => status.set({ isInterrupted }),
    onLost: () => status.set({ isLost: true }),
  }).catch((error: unknown) => {
    graph.close();
    throw error;
  });
  const setMuted = (to: boolean): void => {
    isMuted = to;
    if (device.track) device.track.enabled = !to;
    status.set({ isMuted });
  };
  const stop = (): void => {
    device.release();
    graph.close();
    status.set({ isStopped: true });
    unfollow();
  };
  let unfollow = (): void => undefined;
  unfollow = stopWith(producer, stop);
  return {
    get state() {
      return status.state;
    },
    mute: () => setMuted(true),
    unmute: () => setMuted(false),
    stop,
  };
}

/** The rate of a stream that a microphone can be sent on. */
function rateOf(producer: Producer, streamId: string): number {
  const declaration = producer.stream(streamId);
  if (declaration.kind !== 'audio' || declaration.format.encoding !== 'pcm16' || declaration.format.channels !== 1)
    throw new TypeError(`streamId must be that of a pcm16 stream of one channel, got ${JSON.stringify(streamId)}`);
  return declaration.format.sampleRateHz;
}
