import type { Sighting, VisionStreamOptions } from '../adapter.ts';
import { isUndertoneError, UndertoneError } from '../errors.ts';
import type { VisionThread } from './visionThread.ts';

/** A thread, and how many streams have a place in it. */
export type Slot<Image, Models> = { thread: VisionThread<Image, Models>; streams: number };
/** Gives places in threads. */
export type Pool<Image, Models> = { take(): Slot<Image, Models>; leave(slot: Slot<Image, Models>): void };

/** What a stream needs to find a place. */
export type SeatOptions<Image, Models> = {
  readonly pool: Pool<Image, Models>;
  readonly id: number;
  readonly options: Pick<VisionStreamOptions, 'modalities'> & {
    readonly onFault?: (fault: { readonly code: 'VISION_DOWN'; readonly message: string }) => void;
  };
  readonly models: Models;
};
/** A stream's place in a thread. */
export type Seat<Image> = {
  /** @throws UndertoneError VISION_DOWN, or the code of the thread. */
  open(): Promise<void>;
  /** Never rejects. */
  look(picture: Image): Promise<readonly Sighting[]>;
  /** Gives the place up for good; no fault is told any more. */
  leave(): void;
};

/** A stream whose thread ended so often gets no other one: its pictures are what ends it. */
const MAX_RESTARTS = 5;

/** Returns a stream's place in a thread. When the thread ends, the next picture finds the place made anew in another. */
export function createSeat<Image extends { readonly atMs: number }, Models>({
  pool,
  id,
  options: { modalities, onFault },
  models,
}: SeatOptions<Image, Models>): Seat<Image> {
  let taken: { readonly slot: Slot<Image, Models>; readonly thread: VisionThread<Image, Models> } | undefined;
  let restarts = 0;
  let hasLeft = false;
  const sit = async (): Promise<VisionThread<Image, Models>> => {
    const slot = pool.take();
    // Another stream may give the slot a new thread, in which this one has no place.
    const { thread } = slot;
    taken = { slot, thread };
    await thread.open(id, modalities, models);
    return thread;
  };
  const release = (): void => {
    if (!taken) return;
    taken.thread.forget(id);
    pool.leave(taken.slot);
    taken = undefined;
  };
  const lose = (): void => {
    release();
    // Whoever leaves may end the thread, too, with a picture still on its way.
    if (hasLeft) return;
    restarts++;
    const then = restarts < MAX_RESTARTS ? 'it is replaced' : 'no picture of this stream is looked at any more';
    onFault?.({ code: 'VISION_DOWN', message: `a thread that looks at pictures ended; ${then}` });
  };
  const down = ({ atMs }: Image): Sighting[] =>
    modalities.map((modality) => ({ modality, atMs, reason: 'vision_down' }));
  return {
    open: async () => {
      try {
        await sit();
      } catch (cause) {
        release();
        if (isUndertoneError(cause)) throw cause;
        throw new UndertoneError('VISION_DOWN', 'MediaPipe could not be started', { cause });
      }
    },
    look: async (picture) => {
      if (taken?.thread.hasEnded) lose();
      if (hasLeft || (!taken && restarts >= MAX_RESTARTS)) return down(picture);
      try {
        const thread = taken?.thread ?? (await sit());
        return await thread.look(id, picture);
      } catch {
        lose();
        return down(picture);
      }
    },
    leave: () => {
      hasLeft = true;
      release();
    },
  };
}
