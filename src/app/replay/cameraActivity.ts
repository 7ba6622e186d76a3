import type { VideoFrame } from '../../adapter.ts';

/** A picture whose brightest pixel is at most this (of 255) shows nothing: a camera that is off is sent as black. */
export const BLACK_LEVEL = 24;
/** Pictures in a row that must agree before the state changes; at 2 pictures a second, half a second to one second. */
const AGREEING_FRAMES = 2;

/** Follows one picture: returns the new state when it changes, with the time of the first picture that showed it. */
export type CameraWatch = (frame: VideoFrame) => { readonly isOn: boolean; readonly atMs: number } | undefined;

/** Watches whether a grey picture shows anything. The first picture decides at once; later changes take two in a row. */
export function createCameraWatch(): CameraWatch {
  let isOn: boolean | undefined;
  let differing = 0;
  let sinceMs = 0;
  return (frame) => {
    const shows = showsSomething(frame.pixels);
    if (isOn === undefined) {
      isOn = shows;
      return { isOn, atMs: frame.atMs };
    }
    if (shows === isOn) {
      differing = 0;
      return undefined;
    }
    if (differing++ === 0) sinceMs = frame.atMs;
    if (differing < AGREEING_FRAMES) return undefined;
    differing = 0;
    isOn = shows;
    return { isOn, atMs: sinceMs };
  };
}

function showsSomething(pixels: Uint8Array): boolean {
  let bright = 0;
  for (const pixel of pixels) if (pixel > BLACK_LEVEL) bright++;
  return bright > pixels.length / 100;
}
