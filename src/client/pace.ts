/** What may be sent in a second. */
export type PaceLimits = { readonly maxMessagesPerSecond: number; readonly maxBytesPerSecond: number };

/** Says whether something may be sent now, so that what is sent again after a drop keeps to the limits of the server. */
export type Pace = {
  /** Takes a message of `bytes` from what may be sent; false when it has to wait. */
  take(bytes: number): boolean;
};

/** The share of the limits that media may use; the rest is for pings, consent and the like. */
const SHARE = 0.8;

/** Returns a pace (two token buckets, of one second each). A message larger than a second's bytes waits for a full bucket. */
export function createPace({ maxMessagesPerSecond, maxBytesPerSecond }: PaceLimits, now: () => number): Pace {
  const most = { messages: Math.max(1, maxMessagesPerSecond * SHARE), bytes: maxBytesPerSecond * SHARE };
  const left = { ...most };
  let filledMs = now();
  const refill = (): void => {
    const seconds = Math.max(0, now() - filledMs) / 1_000;
    filledMs = now();
    left.messages = Math.min(most.messages, left.messages + seconds * most.messages);
    left.bytes = Math.min(most.bytes, left.bytes + seconds * most.bytes);
  };
  return {
    take(bytes) {
      refill();
      if (left.messages < 1 || left.bytes < Math.min(bytes, most.bytes)) return false;
      left.messages -= 1;
      left.bytes -= Math.min(bytes, most.bytes);
      return true;
    },
  };
}
