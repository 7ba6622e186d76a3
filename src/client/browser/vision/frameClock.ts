/** A frame that comes this much later than its clock says means that the clock jumped. */
const MAX_LAG_MS = 500;
/** How much of what a frame is late moves the clock, so that one that runs slow is followed. */
const DRIFT_SHARE = 0.001;

/**
 * Returns what turns the time of a frame, in ms of any clock, into that of the page, which is the time of the frame and the shortest
 * delay known. Never later than `nowMs`, and each later than the one before while `nowMs` rises.
 */
export function createFrameClock(): (frameMs: number, nowMs: number) => number {
  let offsetMs: number | undefined;
  let lastMs = -Infinity;
  return (frameMs, nowMs) => {
    const delayMs = nowMs - frameMs;
    const lagMs = offsetMs === undefined ? 0 : delayMs - offsetMs;
    const isLost = offsetMs === undefined || lagMs < 0 || lagMs > MAX_LAG_MS;
    offsetMs = isLost ? delayMs : (offsetMs ?? delayMs) + lagMs * DRIFT_SHARE;
    lastMs = Math.min(nowMs, Math.max(frameMs + offsetMs, lastMs + 1));
    return lastMs;
  };
}
