import { UndertoneError } from '../errors.ts';
import type { Status } from './status.ts';

/** Something whose status can be followed. */
export type Followed = {
  readonly status: Status;
  on(type: 'status', listener: (status: Status) => void): () => void;
};

/** Resolves when `followed` is live. @throws UndertoneError when it is closed before; `GOING_AWAY` when that was meant. */
export async function untilLive(followed: Followed): Promise<void> {
  const status = await until(followed, ({ state }) => state === 'live' || state === 'resumed' || state === 'closed');
  if (status.state === 'closed') throw status.error ?? new UndertoneError('GOING_AWAY', 'closed before it was live');
}

/** Resolves with the last status, when `followed` is closed for good. */
export async function untilClosed(followed: Followed): Promise<Status & { readonly state: 'closed' }> {
  const status = await until(followed, ({ state }) => state === 'closed');
  if (status.state !== 'closed') throw new TypeError('unreachable: the status is that which was waited for');
  return status;
}

function until(followed: Followed, isReached: (status: Status) => boolean): Promise<Status> {
  if (isReached(followed.status)) return Promise.resolve(followed.status);
  return new Promise((resolve) => {
    const stop = followed.on('status', (status) => {
      if (!isReached(status)) return;
      stop();
      resolve(status);
    });
  });
}
