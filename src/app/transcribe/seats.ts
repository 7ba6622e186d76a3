import type { Recognizer } from '../../adapter.ts';

/** Whoever has a stream of a recognizer open. `party`: those who share fairly with others, such as a session. */
export type Holder = {
  readonly party: object;
  /** For how long nothing has been said; 0 while there is something to recognize. */
  idleMs(): number;
  /** Gives the seat back at once. */
  leave(): void;
};

/** The streams that the recognizers of a process have room for, shared by all sessions. */
export type Seats = {
  /** Whether `party` could have one more stream of a recognizer. */
  hasRoom(recognizer: Recognizer, party: object): boolean;
  /** Whether nobody would have to leave for one more. */
  isFree(recognizer: Recognizer): boolean;
  /** Takes a seat, if need be from another; call what is returned to give it back. Only while there is room. */
  take(recognizer: Recognizer, holder: Holder): () => void;
};

/** A stream in which nothing was said for so long is given to those who talk. */
const MIN_IDLE_MS = 3_000;

/**
 * Returns seats of which none is taken. While a recognizer has room (`maxStreams`), whoever asks gets a seat. Then the one
 * whose holder has been silent longest is given on, else one of the party that has the most, as long as it has two more than
 * the party that asks: so parties end with equally many. Who leaves for another loses no sound.
 */
export function createSeats(): Seats {
  const taken = new Map<Recognizer, Set<Holder>>();
  const holdersOf = (recognizer: Recognizer): Set<Holder> => {
    const known = taken.get(recognizer) ?? new Set<Holder>();
    taken.set(recognizer, known);
    return known;
  };
  const isFull = ({ capabilities }: Recognizer, holders: ReadonlySet<Holder>): boolean =>
    holders.size >= (capabilities.maxStreams ?? Infinity);

  return {
    hasRoom: (recognizer, party) => {
      const holders = holdersOf(recognizer);
      return !isFull(recognizer, holders) || whoLeaves(holders, party) !== undefined;
    },
    isFree: (recognizer) => !isFull(recognizer, holdersOf(recognizer)),
    take: (recognizer, holder) => {
      const holders = holdersOf(recognizer);
      const leaving = isFull(recognizer, holders) ? whoLeaves(holders, holder.party) : undefined;
      holders.add(holder);
      if (leaving) {
        holders.delete(leaving);
        leaving.leave();
      }
      return () => {
        holders.delete(holder);
        if (holders.size === 0) taken.delete(recognizer);
      };
    },
  };
}

/** Who has to leave a seat to `party`; undefined when nobody has. */
function whoLeaves(holders: ReadonlySet<Holder>, party: object): Holder | undefined {
  const counts = new Map<object, number>();
  let idlest: { readonly holder: Holder; readonly ms: number } | undefined;
  for (const holder of holders) {
    counts.set(holder.party, (counts.get(holder.party) ?? 0) + 1);
    const ms = holder.idleMs();
    if (ms >= MIN_IDLE_MS && ms > (idlest?.ms ?? 0)) idlest = { holder, ms };
  }
  if (idlest) return idlest.holder;
  const most = Math.max(0, ...counts.values());
  if (most < (counts.get(party) ?? 0) + 2) return undefined;
  return [...holders].findLast((holder) => counts.get(holder.party) === most);
}
