import type { Speaker } from '../domain/speaker.ts';
import { pushBounded, setBounded } from './bounded.ts';
import type { Signal } from './signal.ts';
import type { Span } from './spans.ts';
import { isSameSpeaker } from './streams.ts';

const MAX_STREAMS = 512;
const MAX_CHANGES = 256;

type Camera = { readonly speaker?: Speaker; readonly changes: { readonly atMs: number; readonly isOn: boolean }[] };

/** When each camera of a session was on. A video stream counts as on from its opening until we hear otherwise. */
export type Cameras = {
  observe(signal: Signal): void;
  /** Was a camera of `speaker`, or one that shows everybody, on for at least half of `span` (at an instant: then)? */
  isOn(speaker: Speaker, span: Span): boolean;
  /** Was the camera of a stream on at `atMs`? */
  isStreamOn(streamId: string, atMs: number): boolean;
};

/** Returns the cameras of a session that has none yet. Remembers at most 512 streams and 256 changes of each. */
export function createCameras(): Cameras {
  const cameras = new Map<string, Camera>();
  const note = (streamId: string, atMs: number, isOn: boolean): void => {
    const camera = cameras.get(streamId);
    if (camera) pushBounded(camera.changes, { atMs, isOn }, MAX_CHANGES);
  };
  return {
    observe: (signal) => {
      if (signal.type === 'streamOpened' && signal.kind === 'video') {
        const { streamId, speaker } = signal;
        setBounded(cameras, streamId, { changes: [], ...(speaker && { speaker }) }, MAX_STREAMS);
        note(streamId, signal.arrivalMs, true);
      } else if (signal.type === 'camera') note(signal.streamId, signal.arrivalMs, signal.isOn);
      else if (signal.type === 'streamClosed') note(signal.streamId, signal.arrivalMs, false);
    },
    isOn: (speaker, span) => {
      const seen = [...cameras.values()].filter((c) => c.speaker === undefined || isSameSpeaker(c.speaker, speaker));
      return seen.some((camera) => onShare(camera, span) >= 0.5);
    },
    isStreamOn: (streamId, atMs) => {
      const camera = cameras.get(streamId);
      return camera !== undefined && onShare(camera, { startMs: atMs, endMs: atMs }) === 1;
    },
  };
}

function onShare({ changes }: Camera, span: Span): number {
  const lengthMs = span.endMs - span.startMs;
  let onMs = 0;
  let isOnAtEnd = false;
  for (const [index, { atMs, isOn }] of changes.entries()) {
    if (atMs > span.endMs) break;
    isOnAtEnd = isOn;
    if (!isOn) continue;
    const offMs = changes[index + 1]?.atMs ?? Infinity;
    onMs += Math.max(0, Math.min(offMs, span.endMs) - Math.max(atMs, span.startMs));
  }
  if (lengthMs > 0) return onMs / lengthMs;
  return isOnAtEnd ? 1 : 0;
}
