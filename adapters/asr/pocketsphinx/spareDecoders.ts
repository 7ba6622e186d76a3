import type { Decoder } from './library.ts';

/** Decoders that are made before anybody asks for them. */
export type SpareDecoders = {
  /** A spare decoder where there is one, else a new one; rejects when it cannot be made. */
  take(): Promise<Decoder>;
  /** Keeps so many spare ones from now on; resolves when they are there, or cannot be made. */
  keep(count: number): Promise<void>;
  /** Resolves when the spare ones are freed; none is made any more without being asked for. */
  close(): Promise<void>;
};

/** How long nobody must have come before spare ones are made in the place of those that were taken: speech goes first. */
export const REFILL_MS = 5_000;

/**
 * Returns spare decoders of which none is there yet. They are made one at a time; one that could not be made is tried again
 * when the next was taken.
 * @param after Calls back after some ms, unless what it returns is called before.
 */
export function createSpareDecoders(
  create: () => Promise<Decoder>,
  after: (ms: number, callback: () => void) => () => void = afterWallTime,
): SpareDecoders {
  const spare = new Set<Promise<Decoder>>();
  let wanted = 0;
  let filling: Promise<void> | undefined;
  let cancelRefill: () => void = () => undefined;

  const makeMissing = async (): Promise<void> => {
    for (let isMade = true; isMade && spare.size < wanted;) {
      const made = create();
      spare.add(made);
      isMade = await made.then(
        () => true,
        () => false,
      );
      if (!isMade) spare.delete(made);
    }
    filling = undefined;
  };
  const fill = (): Promise<void> => (filling ??= makeMissing());
  return {
    take: () => {
      cancelRefill();
      cancelRefill = after(REFILL_MS, () => void fill());
      const [first] = spare;
      if (first === undefined) return create();
      spare.delete(first);
      return first;
    },
    keep: (count) => {
      wanted = count;
      return fill();
    },
    close: async () => {
      wanted = 0;
      cancelRefill();
      const freed = [...spare].map((made) => made.then((decoder) => decoder.free()));
      spare.clear();
      await Promise.allSettled(freed);
    },
  };
}

/** The real clock; it keeps no process alive. */
function afterWallTime(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
