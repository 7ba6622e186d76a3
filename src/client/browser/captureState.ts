import type { Producer } from '../producer.ts';
import type { StreamSlot } from './streamSlot.ts';

/**
 * What a capture does: `live`; `muted`, or switched off, by the page; `interrupted` by the browser or the system; `lost` until
 * a device appears; `stopped` for good.
 */
export type CaptureState = 'live' | 'muted' | 'interrupted' | 'lost' | 'stopped';

/** Everything that keeps a capture from delivering. */
export type Hindrances = {
  readonly isMuted: boolean;
  readonly isInterrupted: boolean;
  readonly isLost: boolean;
  readonly isStopped: boolean;
};

/** The state of a capture, which its streams and its page are told. */
export type CaptureStatus = {
  readonly state: CaptureState;
  set(change: Partial<Hindrances>): void;
};

/** Returns a status without a hindrance; streams end while there is no device, and are muted while it must not deliver. */
export function createCaptureStatus(
  slots: readonly StreamSlot[],
  onChange: ((state: CaptureState) => void) | undefined,
): CaptureStatus {
  let now: Hindrances = { isMuted: false, isInterrupted: false, isLost: false, isStopped: false };
  let said: CaptureState | undefined;
  return {
    get state() {
      return stateOf(now);
    },
    set: (change) => {
      if (now.isStopped) return;
      now = { ...now, ...change };
      for (const slot of slots) {
        slot.setMuted(now.isMuted || now.isInterrupted);
        if (now.isLost || now.isStopped) slot.end();
        else slot.begin();
      }
      if (stateOf(now) === said) return;
      said = stateOf(now);
      onChange?.(said);
    },
  };
}

/** Calls `stop` once the producer is closed for good, also when it is already; returns what ends that. */
export function stopWith(producer: Producer, stop: () => void): () => void {
  if (producer.status.state === 'closed') stop();
  return producer.on('status', ({ state }) => {
    if (state === 'closed') stop();
  });
}

function stateOf({ isMuted, isInterrupted, isLost, isStopped }: Hindrances): CaptureState {
  if (isStopped) return 'stopped';
  if (isLost) return 'lost';
  if (isMuted) return 'muted';
  return isInterrupted ? 'interrupted' : 'live';
}
