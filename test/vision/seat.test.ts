import { describe, expect, it } from 'vitest';
import { UndertoneError } from '../../src/errors.ts';
import { createSeat, type Seat, type Slot } from '../../src/vision/seat.ts';
import type { VisionThread } from '../../src/vision/visionThread.ts';

type Image = { readonly atMs: number };
type Fake = {
  readonly seat: Seat<Image>;
  readonly slots: Slot<Image, string>[];
  readonly faults: string[];
  /** Ends the newest thread, as a crash does, or as its owner. */
  readonly endThread: () => void;
};

/** A seat in threads of which each looks at a picture until the test answers or ends it. */
function fakeSeat({ openError }: { readonly openError?: Error } = {}): Fake {
  const slots: Slot<Image, string>[] = [];
  const faults: string[] = [];
  let reject: (cause: Error) => void = () => undefined;
  const makeThread = (): VisionThread<Image, string> & { hasEnded: boolean } => ({
    hasEnded: false,
    open: async () => {
      if (openError) throw openError;
    },
    look: () => new Promise((_resolve, rejected) => (reject = rejected)),
    forget: () => undefined,
    end: async () => undefined,
  });
  const pool = {
    take: () => {
      const slot = { thread: makeThread(), streams: 1 };
      slots.push(slot);
      return slot;
    },
    leave: (slot: Slot<Image, string>) => void slot.streams--,
  };
  const options = {
    modalities: ['body'] as const,
    onFault: ({ code }: { readonly code: string }) => faults.push(code),
  };
  const seat = createSeat<Image, string>({ pool, id: 0, options, models: 'here' });
  return { seat, slots, faults, endThread: () => reject(new Error('ended')) };
}

const DOWN = [{ modality: 'body', atMs: 100, reason: 'vision_down' }];

describe('createSeat', () => {
  it('answers a picture whose thread ends, says so once, gives the place up and takes another one', async () => {
    const { seat, slots, faults, endThread } = fakeSeat();
    await seat.open();
    const seen = seat.look({ atMs: 100 });
    endThread();
    expect(await seen).toEqual(DOWN);
    expect(faults).toEqual(['VISION_DOWN']);
    void seat.look({ atMs: 200 });
    expect(slots.map(({ streams }) => streams)).toEqual([0, 1]);
  });

  it('tells no fault once it was left, when the thread is ended with a picture on its way, and takes no other place', async () => {
    const { seat, slots, faults, endThread } = fakeSeat();
    await seat.open();
    const seen = seat.look({ atMs: 100 });
    seat.leave();
    seat.leave();
    endThread();
    expect(await seen).toEqual(DOWN);
    expect(await seat.look({ atMs: 100 })).toEqual(DOWN);
    expect(faults).toEqual([]);
    expect(slots.map(({ streams }) => streams)).toEqual([0]);
  });

  it('hands on the code of a thread that cannot be opened, and calls everything else VISION_DOWN', async () => {
    const refused = fakeSeat({ openError: new UndertoneError('BAD_MODEL', 'one byte differs') });
    await expect(refused.seat.open()).rejects.toMatchObject({ code: 'BAD_MODEL' });
    expect(refused.slots.map(({ streams }) => streams)).toEqual([0]);
    const broken = fakeSeat({ openError: new Error('no WebAssembly') });
    await expect(broken.seat.open()).rejects.toMatchObject({ code: 'VISION_DOWN' });
  });
});
