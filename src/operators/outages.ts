import type { MissingReason } from '../domain/modality.ts';
import { pushBounded, setBounded } from './bounded.ts';
import type { Signal } from './signal.ts';
import type { Span } from './spans.ts';

const MAX_STREAMS = 512;
const MAX_OUTAGES = 256;

/** A stretch in which a stream delivered nothing that can be used, and why; `endMs` is Infinity while it lasts. */
export type Outage = Span & { readonly reason: MissingReason };

/** When each stream of a session delivered nothing. */
export type Outages = {
  observe(signal: Signal): void;
  /** The outages of a stream that touch `span`, in the order in which they became known. */
  within(streamId: string, span: Span): readonly Outage[];
};

/**
 * Returns the outages of a session that has none yet: from `streamInterrupted` to `streamRestored`, by their arrival; what a
 * `gap` says never came; and what follows the closing of a stream that is not a video (a video's is its camera's to tell).
 * A stream that opens again has no outages. Remembers 512 streams and the last 256 outages of each.
 */
export function createOutages(): Outages {
  const outages = new Map<string, Outage[]>();
  const videos = new Set<string>();

  const add = (streamId: string, outage: Outage): void => {
    const known = outages.get(streamId) ?? [];
    pushBounded(known, outage, MAX_OUTAGES);
    setBounded(outages, streamId, known, MAX_STREAMS);
  };
  const end = (streamId: string, endMs: number): void => {
    const known = outages.get(streamId);
    const at = known?.findIndex((outage) => outage.endMs === Infinity) ?? -1;
    const open = known?.[at];
    if (known && open) known[at] = { ...open, endMs };
  };
  const begin = (streamId: string, startMs: number, reason: MissingReason): void => {
    end(streamId, startMs);
    add(streamId, { startMs, endMs: Infinity, reason });
  };

  return {
    observe: (signal) => {
      if (signal.type === 'streamOpened') {
        outages.delete(signal.streamId);
        if (signal.kind === 'video' && videos.size < MAX_STREAMS) videos.add(signal.streamId);
      } else if (signal.type === 'streamInterrupted') begin(signal.streamId, signal.arrivalMs, signal.reason);
      else if (signal.type === 'streamRestored') end(signal.streamId, signal.arrivalMs);
      else if (signal.type === 'gap' && signal.endMs > signal.startMs) {
        add(signal.streamId, { startMs: signal.startMs, endMs: signal.endMs, reason: signal.reason });
      } else if (signal.type === 'streamClosed') {
        if (videos.delete(signal.streamId)) end(signal.streamId, signal.arrivalMs);
        else begin(signal.streamId, signal.arrivalMs, signal.reason);
      }
    },
    within: (streamId, { startMs, endMs }) =>
      (outages.get(streamId) ?? []).filter((outage) => outage.startMs < endMs && outage.endMs > startMs),
  };
}
