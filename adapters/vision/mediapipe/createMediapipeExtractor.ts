import { availableParallelism } from 'node:os';
import {
  type Picture,
  type Sighting,
  VISION_MODALITIES,
  type VisionExtractor,
  type VisionModality,
  type VisionStream,
  type VisionStreamOptions,
} from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { OnlookerModels } from './onlooker.ts';
import { createVisionStream } from './visionStream.ts';
import { startVisionThread, type VisionThread } from './workerThread.ts';

/** Gives the bytes of a model, checked. It is called when a stream first needs the model, and never before. */
export type ModelReaders = Readonly<Partial<Record<VisionModality, () => Promise<Uint8Array>>>>;

/** Settings of the extractor. */
export type MediapipeOptions = {
  readonly models: ModelReaders;
  /** Most threads; as many as there are cores but one, at most 8, unless told. */
  readonly threads?: number;
  /** Starts a thread; another one in tests of failures. */
  readonly startThread?: () => VisionThread;
};

/** Most streams at once, over all threads. */
const MAX_STREAMS = 64;
const MAX_THREADS = 8;
/** A stream whose thread ended so often gets no other one: its pictures are what ends it. */
const MAX_RESTARTS = 5;

/**
 * Returns an extractor that runs MediaPipe's face and pose landmarkers on the CPU, in threads. A thread is started when a stream
 * needs it; the thread with the fewest streams takes the next one; one that ends is replaced, and pictures
 * that were on their way are answered with `vision_down`.
 * @throws RangeError when `threads` is not a whole number from 1 to 64.
 */
export function createMediapipeExtractor({
  models,
  threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  startThread = startVisionThread,
}: MediapipeOptions): VisionExtractor {
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_STREAMS)
    throw new RangeError(`threads must be a whole number from 1 to ${MAX_STREAMS}, got ${threads}`);
  const pool = createPool(threads, startThread);
  const bytes = new Map<VisionModality, Promise<Uint8Array>>();
  const read = async (modality: VisionModality): Promise<Uint8Array | undefined> => {
    const reader = models[modality];
    if (!reader) return undefined;
    const known = bytes.get(modality) ?? reader().then(shared);
    bytes.set(modality, known);
    return known.catch((error: unknown) => {
      bytes.delete(modality);
      throw error;
    });
  };
  const streams = new Set<VisionStream>();
  let nextId = 0;
  return {
    name: 'MediaPipe tasks-vision 0.10.35',
    modalities: VISION_MODALITIES.filter((modality) => models[modality]),
    open: async (options) => {
      if (streams.size >= MAX_STREAMS)
        throw new UndertoneError('LIMIT_EXCEEDED', `more than ${MAX_STREAMS} vision streams`);
      const wanted = (modality: VisionModality): Promise<Uint8Array | undefined> =>
        options.modalities.includes(modality) ? read(modality) : Promise.resolve(undefined);
      const [face, body] = await Promise.all([wanted('face'), wanted('body')]);
      const seat = createSeat({
        pool,
        id: nextId++,
        options,
        models: { ...(face && { face }), ...(body && { body }) },
      });
      await seat.open();
      const stream = createVisionStream(
        options,
        (picture) => seat.look(picture),
        () => {
          streams.delete(stream);
          seat.leave();
        },
      );
      streams.add(stream);
      return stream;
    },
    close: async () => {
      for (const stream of streams) stream.close();
      await pool.end();
    },
  };
}

/** Threads share one copy of a model. */
function shared(model: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(model.length));
  copy.set(model);
  return copy;
}

type Slot = { thread: VisionThread; streams: number };
type Pool = { seat(): Slot; leave(slot: Slot): void; end(): Promise<void> };

function createPool(threads: number, startThread: () => VisionThread): Pool {
  const slots: Slot[] = [];
  return {
    seat: () => {
      const idlest = slots.reduce<Slot | undefined>(
        (best, slot) => (!best || slot.streams < best.streams ? slot : best),
        undefined,
      );
      const slot =
        idlest && (idlest.streams === 0 || slots.length >= threads) ? idlest : { thread: startThread(), streams: 0 };
      if (slot !== idlest) slots.push(slot);
      if (slot.thread.hasEnded) slot.thread = startThread();
      slot.streams++;
      return slot;
    },
    leave: (slot) => void slot.streams--,
    end: async () => void (await Promise.all(slots.splice(0).map(({ thread }) => thread.end()))),
  };
}

type SeatOptions = {
  readonly pool: Pool;
  readonly id: number;
  readonly options: VisionStreamOptions;
  readonly models: OnlookerModels;
};
type Seat = { open(): Promise<void>; look(picture: Picture): Promise<readonly Sighting[]>; leave(): void };

/** A stream's place in a thread. When the thread ends, the next picture finds the place made anew in another. */
function createSeat({ pool, id, options, models }: SeatOptions): Seat {
  const { modalities, onFault } = options;
  let taken: { readonly slot: Slot; readonly thread: VisionThread } | undefined;
  let restarts = 0;
  const sit = async (): Promise<VisionThread> => {
    const slot = pool.seat();
    // Another stream may give the slot a new thread, in which this one has no place.
    const { thread } = slot;
    taken = { slot, thread };
    await thread.open(id, modalities, models);
    return thread;
  };
  const leave = (): void => {
    if (!taken) return;
    taken.thread.forget(id);
    pool.leave(taken.slot);
    taken = undefined;
  };
  const lose = (): void => {
    leave();
    restarts++;
    const then = restarts < MAX_RESTARTS ? 'it is replaced' : 'no picture of this stream is looked at any more';
    onFault?.({ code: 'VISION_DOWN', message: `a thread that looks at pictures ended; ${then}` });
  };
  const down = ({ atMs }: Picture): Sighting[] =>
    modalities.map((modality) => ({ modality, atMs, reason: 'vision_down' }));
  return {
    open: async () => {
      try {
        await sit();
      } catch (cause) {
        leave();
        throw new UndertoneError('VISION_DOWN', 'MediaPipe could not be started', { cause });
      }
    },
    look: async (picture) => {
      if (taken?.thread.hasEnded) lose();
      if (!taken && restarts >= MAX_RESTARTS) return down(picture);
      try {
        const thread = taken?.thread ?? (await sit());
        return await thread.look(id, picture);
      } catch {
        lose();
        return down(picture);
      }
    },
    leave,
  };
}
