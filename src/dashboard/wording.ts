import type { MissingReason, Modality } from '../domain/modality.ts';
import type { Drop } from '../client/drops.ts';
import type { Status } from '../client/status.ts';

/** Modalities as people say them. */
export const MODALITY_WORDS: Readonly<Record<Modality, string>> = {
  text: 'words',
  audio: 'voice',
  face: 'face',
  body: 'body',
};

/** Returns a ratio as `72 %`. Only exactly 0 and 1 read `0 %` and `100 %`. */
export function percentText(ratio: number): string {
  if (ratio <= 0) return '0 %';
  if (ratio >= 1) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round(ratio * 100)))} %`;
}

/** Returns a time of the session as `01:02`. */
export function timeText(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Returns a missing reason, or why something was dropped, in words: `camera_off` is "camera off". */
export function reasonText(reason: MissingReason | Drop['reason'] | undefined): string {
  return reason?.replaceAll('_', ' ') ?? 'not said';
}

/** Returns how a connection stands. `nowMs` is on the clock that the status counts by. */
export function statusText(status: Status, nowMs: number): string {
  switch (status.state) {
    case 'connecting':
      return status.code === undefined ? 'connecting' : `connecting, attempt ${status.attempt} (${status.code})`;
    case 'live':
      return 'live';
    case 'resumed':
      return 'live again, nothing lost';
    case 'reconnecting': {
      const seconds = Math.max(0, Math.round((nowMs - status.sinceMs) / 1_000));
      return `reconnecting for ${seconds} s${status.code === undefined ? '' : ` (${status.code})`}`;
    }
    case 'closed':
      return `closed (${status.error?.code ?? status.reason ?? 'by you'})`;
  }
}
