/** Why something that was given to a producer was not sent, or not kept to be sent again. */
export const DROP_REASONS = [
  'before_live', // there was no `welcome` yet, so no clock and no limits
  'muted', // the stream was muted
  'consent', // its participant does not agree to anything it could be used for
  'policy', // the server may make nothing of it, as it said
  'backpressure', // the network takes less than is given: pictures first, then landmarks
  'ring_full', // the connection was away for longer than the ring holds
  'too_big', // larger than the server's limit
  'new_epoch', // the server began anew and knows nothing of what went before
  'closed', // the connection is closed for good
] as const;
/** One reason of {@link DROP_REASONS}. */
export type DropReason = (typeof DROP_REASONS)[number];

/** How many messages of a stream were dropped for a reason. */
export type Drop = { readonly streamId: string; readonly reason: DropReason; readonly count: number };

/** Counts drops by stream and reason. */
export type DropCounter = {
  add(streamId: string, reason: DropReason, count?: number): void;
  totals(): readonly Drop[];
};

/** Returns a counter that starts at nothing and tells `onDrop` of each addition. */
export function createDropCounter(onDrop: (drop: Drop) => void): DropCounter {
  const counts = new Map<string, Drop>();
  return {
    add(streamId, reason, count = 1) {
      const key = `${reason} ${streamId}`;
      counts.set(key, { streamId, reason, count: (counts.get(key)?.count ?? 0) + count });
      onDrop({ streamId, reason, count });
    },
    totals: () => [...counts.values()],
  };
}
