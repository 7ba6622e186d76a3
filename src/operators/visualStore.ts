import type { VisualFrame } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Utterance } from '../domain/utterance.ts';
import { setBounded } from './bounded.ts';
import type { Visual } from './sight.ts';
import { isSameSpeaker, type Streams } from './streams.ts';
import { createVisualRing, type VisualRing } from './visualRing.ts';

/** The latest pictures of each stream: of each person in it, where it says who that is. */
export type VisualStore = {
  /** Keeps what a picture says of somebody; of `undefined` where it shows everybody. */
  keep(frame: VisualFrame, speaker: Speaker | undefined, keptMs: number): void;
  /** The pictures of a speaker in a stream, or those of everybody. */
  find(modality: Visual, streamId: string, speaker: Speaker): VisualRing | undefined;
  /** May pictures of the utterance still be on their way: do any come, and has none come yet that is past its end? */
  isAwaited(utterance: Utterance, clockMs: number): boolean;
  /** Lets go of streams that were closed some time ago. */
  dropClosed(streams: Streams, clockMs: number): void;
  /** Lets go of all that is held of a modality of a speaker. */
  erase(modality: Visual, speaker: Speaker): void;
};

type Kept = {
  readonly streamId: string;
  readonly modality: Visual;
  readonly speaker: Speaker | undefined;
  readonly ring: VisualRing;
};

/** No picture for this long means that none is awaited. */
const STALE_MS = 2_000;
/** A closed stream is let go when its last picture came this long ago. */
const CLOSED_MS = 30_000;
/** Rings of pictures in one session; the oldest makes way. */
export const MAX_RINGS = 256;

/** Returns a store without pictures, of at most {@link MAX_RINGS} people and streams. */
export function createVisualStore(): VisualStore {
  const kept = new Map<string, Kept>();
  return {
    keep: (frame, speaker, keptMs) => {
      const { streamId, modality } = frame;
      const key = keyOf(modality, streamId, speaker);
      const known = kept.get(key) ?? { streamId, modality, speaker, ring: createVisualRing(modality, keptMs) };
      if (!kept.has(key)) setBounded(kept, key, known, MAX_RINGS);
      known.ring.write(frame);
    },
    find: (modality, streamId, speaker) => {
      const own = kept.get(keyOf(modality, streamId, speaker));
      const of = (one: Kept): boolean => one.streamId === streamId && one.modality === modality;
      return (own ?? [...kept.values()].find((one) => of(one) && mayShow(one, speaker)))?.ring;
    },
    isAwaited: ({ speaker, endMs }, clockMs) =>
      [...kept.values()].some((one) => {
        const { latest } = one.ring;
        return mayShow(one, speaker) && latest.atMs < endMs && clockMs - latest.arrivalMs < STALE_MS;
      }),
    dropClosed: (streams, clockMs) => {
      for (const [key, { streamId, ring }] of kept) {
        const isClosed = streams.get(streamId)?.closedAtMs !== undefined;
        if (isClosed && clockMs - ring.latest.arrivalMs > CLOSED_MS) kept.delete(key);
      }
    },
    erase: (modality, speaker) => {
      for (const [key, one] of kept)
        if (one.modality === modality && one.speaker && isSameSpeaker(one.speaker, speaker)) kept.delete(key);
    },
  };
}

function keyOf(modality: Visual, streamId: string, speaker: Speaker | undefined): string {
  return `${modality} ${streamId} ${speaker?.id ?? ''}`;
}

function mayShow({ speaker }: Kept, sought: Speaker): boolean {
  return speaker === undefined || isSameSpeaker(speaker, sought);
}
