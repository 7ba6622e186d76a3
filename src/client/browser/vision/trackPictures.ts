import { createFrameClock } from './frameClock.ts';
import type { TimedImage } from './timedImage.ts';

/** A picture of a track that may be looked at. One of the two is called, once. */
export type TrackPicture = {
  /** When it was taken, on the clock of `performance.now()`, in ms. */
  readonly atMs: number;
  /** The picture, or a newer one where only the newest is kept. Rejects when there is none any more. */
  take(): Promise<TimedImage>;
  drop(): void;
};

/** The part of the Chromium family's MediaStreamTrackProcessor that is used; the DOM's types have none of it. */
type TrackProcessor = { readonly readable: ReadableStream<VideoFrame> };
type ProcessorGlobals = {
  readonly MediaStreamTrackProcessor?: new (init: {
    readonly track: MediaStreamTrack;
    readonly maxBufferSize: number;
  }) => TrackProcessor;
};

/**
 * Calls `onPicture` with each picture of a track until the returned function is called or the track ends. Frames are read from
 * the track itself where the browser can (also of tabs that nobody sees), else from a video element that plays it.
 */
export function watchTrack(track: MediaStreamTrack, onPicture: (picture: TrackPicture) => void): () => void {
  const { MediaStreamTrackProcessor: Processor } = globalThis as ProcessorGlobals;
  return Processor
    ? readFrames(new Processor({ track, maxBufferSize: 1 }).readable.getReader(), onPicture)
    : playTrack(track, onPicture);
}

function readFrames(reader: ReadableStreamDefaultReader<VideoFrame>, onPicture: (p: TrackPicture) => void): () => void {
  const toPageMs = createFrameClock();
  const pass = ({ done, value: image }: ReadableStreamReadResult<VideoFrame>): Promise<void> | undefined => {
    if (done) return undefined;
    const atMs = toPageMs(image.timestamp / 1_000, performance.now());
    onPicture({ atMs, take: async () => ({ atMs, image }), drop: () => image.close() });
    return reader.read().then(pass);
  };
  // A track that fails has ended; whoever owns it is told by the track.
  reader
    .read()
    .then(pass)
    .catch(() => undefined);
  return () => void reader.cancel().catch(() => undefined);
}

/** Only the newest picture is there: it is copied when it is wanted. */
function playTrack(track: MediaStreamTrack, onPicture: (picture: TrackPicture) => void): () => void {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  let handle = 0;
  let shownMs = 0;
  const take = async (): Promise<TimedImage> => {
    const atMs = shownMs;
    return { atMs, image: await createImageBitmap(video) };
  };
  const shown: VideoFrameRequestCallback = (now, { captureTime = now }) => {
    shownMs = captureTime;
    handle = video.requestVideoFrameCallback(shown);
    onPicture({ atMs: shownMs, take, drop: () => undefined });
  };
  handle = video.requestVideoFrameCallback(shown);
  // Playing is refused or interrupted only when the track goes or `stop` was called.
  video.play().catch(() => undefined);
  return () => {
    video.cancelVideoFrameCallback(handle);
    video.srcObject = null;
  };
}
