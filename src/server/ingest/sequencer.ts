/** One numbered piece of a stream. `startMs` on the producer's media clock. */
export type Numbered = { readonly sequence: number; readonly startMs: number };

/** What became of a piece: it and those it let through, in order, and what is given up before some of them. */
export type Sequenced<T> =
  | { readonly type: 'item'; readonly item: T }
  /** Pieces that never came; the next item begins at `toMs`. */
  | { readonly type: 'gap'; readonly missing: number; readonly toMs: number };

/** Puts the pieces of one stream into order. Counters are of all time. */
export type Sequencer<T> = {
  /** Takes a piece at wall time `nowMs`; one that was had already is counted and dropped. */
  accept(item: T, nowMs: number): readonly Sequenced<T>[];
  /** Gives up what was waited for too long. */
  advance(nowMs: number): readonly Sequenced<T>[];
  /** The sequence number that is wanted next. */
  readonly next: number;
  readonly duplicates: number;
  readonly reordered: number;
};

/** How long and how much is held for a piece that is missing. */
export type SequencerSettings = { readonly reorderMs: number; readonly maxHeld: number; readonly maxHeldBytes: number };

/** Wait a second for a missing piece, with at most 256 later ones or 2 MiB held. */
export const DEFAULT_SEQUENCER: SequencerSettings = { reorderMs: 1_000, maxHeld: 256, maxHeldBytes: 2 * 1024 * 1024 };

/** Returns a sequencer that wants number 0. Beyond the pieces or bytes that it may hold, the first gap is given up. */
export function createSequencer<T extends Numbered>(
  settings: SequencerSettings = DEFAULT_SEQUENCER,
  bytesOf: (item: T) => number = () => 0,
): Sequencer<T> {
  const held = new Map<number, T>();
  let next = 0;
  let heldBytes = 0;
  let waitingSinceMs = 0;
  let duplicates = 0;
  let reordered = 0;

  const drain = (nowMs: number): Sequenced<T>[] => {
    const out: Sequenced<T>[] = [];
    for (let item = held.get(next); item !== undefined; item = held.get(next)) {
      held.delete(next++);
      heldBytes -= bytesOf(item);
      out.push({ type: 'item', item });
    }
    if (out.length > 0) waitingSinceMs = nowMs;
    return out;
  };
  const giveUp = (nowMs: number): Sequenced<T>[] => {
    const first = Math.min(...held.keys());
    const missing = first - next;
    const toMs = held.get(first)?.startMs ?? 0;
    next = first;
    return [{ type: 'gap', missing, toMs }, ...drain(nowMs)];
  };
  return {
    get next() {
      return next;
    },
    get duplicates() {
      return duplicates;
    },
    get reordered() {
      return reordered;
    },
    accept: (item, nowMs) => {
      if (item.sequence < next || held.has(item.sequence)) {
        duplicates++;
        return [];
      }
      if (held.size === 0) waitingSinceMs = nowMs;
      if (held.size === 0 && item.sequence === next) {
        next++;
        return [{ type: 'item', item }];
      }
      held.set(item.sequence, item);
      heldBytes += bytesOf(item);
      if (item.sequence !== next) {
        reordered++;
        return held.size > settings.maxHeld || heldBytes > settings.maxHeldBytes ? giveUp(nowMs) : [];
      }
      return drain(nowMs);
    },
    advance: (nowMs) => (held.size > 0 && nowMs - waitingSinceMs >= settings.reorderMs ? giveUp(nowMs) : []),
  };
}
