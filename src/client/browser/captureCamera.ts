import type { Producer } from '../producer.ts';
import { type CaptureState, createCaptureStatus, stopWith } from './captureState.ts';
import { type DeviceTrack, openDeviceTrack } from './deviceTrack.ts';
import type { LandmarkModality } from './landmarkSource.ts';
import { createLookout, type LookoutOptions } from './lookout.ts';
import { createStreamSlot, type StreamSlot } from './streamSlot.ts';

/** The ids of the streams that landmarks go to; what has none is not looked for. */
export type LandmarkStreams = Readonly<Partial<Record<LandmarkModality, string>>>;

/** Where the pictures come from, what reads them, and who is told. */
export type CameraOptions = LookoutOptions & {
  /** Beside those of {@link CAMERA_CONSTRAINTS}; a device, for instance. */
  readonly constraints?: MediaTrackConstraints;
  /** A track that the page has already; then no camera is asked for, none is stopped, and none takes its place. */
  readonly track?: MediaStreamTrack;
  readonly onChange?: (state: CaptureState) => void;
  /** The track that is looked at, for a picture of oneself; nothing while there is none. */
  readonly onTrack?: (track: MediaStreamTrack | undefined) => void;
};

/** A camera whose landmarks are sent. */
export type Camera = {
  readonly state: CaptureState;
  /** Lets go of the camera, whose light goes out, and says so to the server. */
  off(): void;
  /** Asks for the camera again. @throws UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED; it is still off then */
  on(): Promise<void>;
  /** Ends the streams and lets go of the camera and the models. May be called again. */
  stop(): void;
};

/** Enough for a face across a desk, and little to look at. */
export const CAMERA_CONSTRAINTS: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 15 },
};

/**
 * Sends the landmarks of a camera, and never a picture: rows of faces and bodies, made in the page, on streams of a producer.
 * What a participant does not agree to, or the server may not use, is not looked for, and its model is not loaded. A
 * device that goes is replaced; while there is none, the streams have ended, as those of `captureMicrophone`.
 * @throws TypeError when a stream is none of its modality; UndertoneError CAPTURE_REFUSED, CAPTURE_FAILED
 */
export async function captureCamera(
  producer: Producer,
  streams: LandmarkStreams,
  options: CameraOptions,
): Promise<Camera> {
  const slots = slotsOf(producer, streams);
  const status = createCaptureStatus([...slots.values()], options.onChange);
  const lookout = createLookout(producer, slots, options);
  const look = (track: MediaStreamTrack | undefined): void => {
    lookout.look(track);
    options.onTrack?.(track);
  };
  const open = (): Promise<DeviceTrack> =>
    openDeviceTrack({
      kind: 'video',
      constraints: { ...CAMERA_CONSTRAINTS, ...options.constraints },
      given: options.track,
      onTrack: (track) => {
        status.set({ isLost: false });
        look(track);
      },
      onInterrupted: (isInterrupted) => status.set({ isInterrupted }),
      onLost: () => {
        look(undefined);
        status.set({ isLost: true });
      },
    });
  let device: DeviceTrack | undefined = await open().catch((error: unknown) => {
    lookout.close();
    throw error;
  });
  let turn = 0;
  const off = (): void => {
    turn++;
    device?.release();
    device = undefined;
    look(undefined);
    status.set({ isMuted: true, isLost: false, isInterrupted: false });
  };
  const on = async (): Promise<void> => {
    if (device || status.state === 'stopped') return;
    const mine = ++turn;
    const opened = await open();
    if (mine !== turn) return opened.release();
    device = opened;
    status.set({ isMuted: false });
  };
  let unfollow = (): void => undefined;
  const stop = (): void => {
    off();
    lookout.close();
    status.set({ isStopped: true });
    unfollow();
  };
  unfollow = stopWith(producer, stop);
  return {
    get state() {
      return status.state;
    },
    off,
    on,
    stop,
  };
}

function slotsOf(producer: Producer, streams: LandmarkStreams): ReadonlyMap<LandmarkModality, StreamSlot> {
  const slots = new Map<LandmarkModality, StreamSlot>();
  for (const modality of ['face', 'body'] as const) {
    const streamId = streams[modality];
    if (streamId === undefined) continue;
    if (producer.stream(streamId).kind !== modality)
      throw new TypeError(
        `streams.${modality} must be that of a stream of ${modality}, got ${JSON.stringify(streamId)}`,
      );
    slots.set(modality, createStreamSlot(producer, streamId));
  }
  if (slots.size === 0) throw new RangeError('streams must name a stream of face or body');
  return slots;
}
