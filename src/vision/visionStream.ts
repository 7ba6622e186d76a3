import type { Sighting, VisionCounts, VisionStreamOptions } from '../adapter.ts';
import { afterTaking, FIRST_RATE, isDue, rateOf } from './pictureRate.ts';

/** The pictures of one participant, as VisionStream in src/adapter.ts says, whatever a picture is here. */
export type PictureStream<Image> = {
  look(picture: Image): void;
  examine(picture: Image): Promise<readonly Sighting[]>;
  flush(): Promise<void>;
  close(): void;
  readonly counts: VisionCounts;
};

/** What a stream does with its pictures. */
export type PictureUse<Image> = {
  /** Looks at one picture somewhere else. Never rejects: a failure is a reason in the sightings. */
  look(picture: Image): Promise<readonly Sighting[]>;
  /** Called once for each picture that is not looked at. */
  skip?(picture: Image): void;
  /** Called once, when the stream is closed. */
  onClose(): void;
};

/**
 * Returns a stream over `use.look`: one picture is looked at at a time, at most one of `look` waits, and those of `examine` wait
 * in order (each caller holds its own).
 */
export function createVisionStream<Image extends { readonly atMs: number }>(
  options: Omit<VisionStreamOptions, 'modalities' | 'onFault'>,
  use: PictureUse<Image>,
): PictureStream<Image> {
  const counts = { looked: 0, skipped: 0, failed: 0 };
  let rate = FIRST_RATE;
  let next: Image | undefined;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  const skip = (picture: Image): void => {
    counts.skipped++;
    use.skip?.(picture);
  };
  const lookAndCount = async (picture: Image): Promise<readonly Sighting[]> => {
    const sightings = await use.look(picture);
    if (sightings.some((seen) => 'reason' in seen && FAILURES.has(seen.reason))) counts.failed++;
    else counts.looked++;
    return sightings;
  };
  const takeNext = async (): Promise<void> => {
    const picture = next;
    next = undefined;
    if (!picture || isClosed) return;
    const sightings = await lookAndCount(picture);
    if (!isClosed) options.onSightings?.(sightings);
  };
  const take = (picture: Image): void => {
    const before = next;
    const { step } = rate;
    rate = afterTaking(rate, picture.atMs, before !== undefined);
    if (rate.step !== step) options.onRateChange?.(rateOf(rate.step));
    next = picture;
    if (before) skip(before);
    else last = last.then(takeNext);
  };
  const checkOpen = (): void => {
    if (isClosed) throw new TypeError('the stream is closed');
  };
  return {
    look: (picture) => {
      checkOpen();
      if (isDue(rate, picture.atMs)) take(picture);
      else skip(picture);
    },
    examine: (picture) => {
      checkOpen();
      const seen = last.then(() => lookAndCount(picture));
      last = seen;
      return seen;
    },
    flush: async () => void (await last),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      if (next) skip(next);
      next = undefined;
      use.onClose();
    },
    counts,
  };
}

/** Reasons that say that a picture was not looked at. */
const FAILURES: ReadonlySet<string> = new Set(['late', 'decode_error', 'unsupported_format', 'vision_down']);
