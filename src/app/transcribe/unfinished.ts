/** What a recognizer is given, in order: sound of the session, the end of a stretch of speech, a chance to change. */
export type Entry =
  | { readonly type: 'sound'; readonly startMs: number; readonly samples: Float32Array }
  | { readonly type: 'finalize' }
  | { readonly type: 'reconsider' };

/** What was heard and has no final yet, kept so that another recognizer can begin where the last final ended. */
export type Unfinished = {
  /** Adds an entry; returns how many ms of the oldest sound had to be let go for it. */
  push(entry: Entry): number;
  /** The next entry that the current recognizer has not been given. */
  next(): Entry | undefined;
  /** Forgets the sound before `untilMs`, for which there is a final now. */
  finished(untilMs: number): void;
  /** Forgets everything that was given: all of it has been answered. */
  answered(): void;
  /** Lets the next recognizer have everything again. */
  rewind(): void;
  isEmpty(): boolean;
};

const SAMPLES_PER_MS = 16;

/** Returns an empty memory that holds at most `limitMs` of sound. */
export function createUnfinished(limitMs: number): Unfinished {
  const entries: Entry[] = [];
  let given = 0;
  let heldMs = 0;

  const drop = (): number => {
    const entry = entries.shift();
    if (given > 0) given -= 1;
    const ms = entry?.type === 'sound' ? entry.samples.length / SAMPLES_PER_MS : 0;
    heldMs -= ms;
    return ms;
  };
  return {
    push: (entry) => {
      entries.push(entry);
      if (entry.type === 'sound') heldMs += entry.samples.length / SAMPLES_PER_MS;
      let lostMs = 0;
      while (heldMs > limitMs && entries.length > 1) lostMs += drop();
      return lostMs;
    },
    next: () => (given < entries.length ? entries[given++] : undefined),
    finished: (untilMs) => {
      for (let first = entries[0]; first !== undefined && given > 0; first = entries[0]) {
        if (first.type !== 'sound') drop();
        else if (first.startMs + first.samples.length / SAMPLES_PER_MS <= untilMs) drop();
        else {
          entries[0] = cutBefore(first, untilMs);
          heldMs -= (first.samples.length - entries[0].samples.length) / SAMPLES_PER_MS;
          return;
        }
      }
    },
    answered: () => {
      while (given > 0) drop();
    },
    rewind: () => {
      given = 0;
    },
    isEmpty: () => entries.length === 0,
  };
}

type Sound = Extract<Entry, { type: 'sound' }>;

function cutBefore(sound: Sound, untilMs: number): Sound {
  const cut = Math.round((untilMs - sound.startMs) * SAMPLES_PER_MS);
  if (cut <= 0) return sound;
  return { type: 'sound', startMs: sound.startMs + cut / SAMPLES_PER_MS, samples: sound.samples.subarray(cut) };
}
