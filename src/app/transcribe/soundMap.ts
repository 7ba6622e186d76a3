/** Turns times of a recognizer's stream, which is given speech only, into times of the session. */
export type SoundMap = {
  /** `lengthMs` of the session from `startMs` were given next. */
  add(startMs: number, lengthMs: number): void;
  /** The session time of `atMs` of the stream; an end belongs to the sound before it. */
  toSessionMs(atMs: number, isEnd: boolean): number;
  givenMs(): number;
};

type Piece = { readonly atMs: number; readonly startMs: number; lengthMs: number };

/** Pieces of a stream that are remembered: with one per stretch of speech, hours. */
const MAX_PIECES = 2_048;

/** Returns the map of a stream that has been given nothing. */
export function createSoundMap(): SoundMap {
  const pieces: Piece[] = [];
  let givenMs = 0;
  return {
    add: (startMs, lengthMs) => {
      const last = pieces.at(-1);
      if (last && Math.abs(last.startMs + last.lengthMs - startMs) < 1) last.lengthMs += lengthMs;
      else pieces.push({ atMs: givenMs, startMs, lengthMs });
      if (pieces.length > MAX_PIECES) pieces.shift();
      givenMs += lengthMs;
    },
    toSessionMs: (atMs, isEnd) => {
      const piece = pieces.findLast((known) => (isEnd ? known.atMs < atMs : known.atMs <= atMs)) ?? pieces[0];
      if (piece === undefined) return 0;
      return piece.startMs + Math.min(Math.max(0, atMs - piece.atMs), piece.lengthMs);
    },
    givenMs: () => givenMs,
  };
}
