import { availableParallelism } from 'node:os';
import {
  type Picture,
  VISION_MODALITIES,
  type VisionExtractor,
  type VisionModality,
  type VisionStream,
} from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { OnlookerModels } from '../../../src/vision/onlooker.ts';
import { createSeat, type Pool, type Slot } from '../../../src/vision/seat.ts';
import { createVisionStream } from '../../../src/vision/visionStream.ts';
import { type NodeThread, startNodeThread } from './startNodeThread.ts';

/** Gives the bytes of a model, checked. It is called when a stream first needs the model, and never before. */
export type ModelReaders = Readonly<Partial<Record<VisionModality, () => Promise<Uint8Array>>>>;

/** Settings of the extractor. */
export type MediapipeOptions = {
  readonly models: ModelReaders;
  /** Most threads; as many as there are cores but one, at most 8, unless told. */
  readonly threads?: number;
  /** Whether threads run at a lower priority (on Linux), so that what else the process does goes first. */
  readonly givesWay?: boolean;
  /** Starts a thread; another one in tests of failures. */
  readonly startThread?: () => NodeThread;
};

/** Most streams at once, over all threads. */
const MAX_STREAMS = 64;
const MAX_THREADS = 8;

/**
 * Returns an extractor that runs MediaPipe's face and pose landmarkers on the CPU, in threads. A thread is started when a stream
 * needs it; the thread with the fewest streams takes the next one; one that ends is replaced, and pictures
 * that were on their way are answered with `vision_down`.
 * @throws RangeError when `threads` is not a whole number from 1 to 64.
 */
export function createMediapipeExtractor({
  models,
  threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  givesWay = false,
  startThread = () => startNodeThread({ givesWay }),
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
      const seat = createSeat<Picture, OnlookerModels>({
        pool,
        id: nextId++,
        options,
        models: { ...(face && { face }), ...(body && { body }) },
      });
      await seat.open();
      const stream = createVisionStream<Picture>(options, {
        look: (picture) => seat.look(picture),
        onClose: () => {
          streams.delete(stream);
          seat.leave();
        },
      });
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

type NodeSlot = Slot<Picture, OnlookerModels>;
type NodePool = Pool<Picture, OnlookerModels> & { end(): Promise<void> };

function createPool(threads: number, startThread: () => NodeThread): NodePool {
  const slots: NodeSlot[] = [];
  return {
    take: () => {
      const idlest = slots.reduce<NodeSlot | undefined>(
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
