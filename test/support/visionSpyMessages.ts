/** What a test asks a thread that is spied on; each is answered once. */
export type SpyQuestion =
  /** Which scripts were loaded. */
  | { readonly ask: 'scripts' }
  /** How many of `points` lie in WebAssembly memory, as float32 x, y, z in a row. */
  | { readonly ask: 'memory'; readonly points: readonly Point[] }
  /** How many of `numbers` JavaScript objects hold, of those that anything still refers to; and of those that this planted. */
  | { readonly ask: 'heap'; readonly numbers: Float64Array; readonly planted: Float64Array };
/** Answers to {@link SpyQuestion}. */
export type SpyAnswer = {
  readonly scripts?: readonly string[];
  readonly memories?: number;
  readonly found?: number;
  readonly foundPlanted?: number;
};
/** A landmark as the library gives it. */
export type Point = { readonly x: number; readonly y: number; readonly z: number };

/** The name of the channel on which questions and answers go. */
export const SPY_CHANNEL = 'undertone-vision-spy';
