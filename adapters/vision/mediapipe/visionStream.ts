import type { Picture, Sighting, VisionStream, VisionStreamOptions } from '../../../src/adapter.ts';
import { afterTaking, FIRST_RATE, isDue, rateOf } from './pictureRate.ts';

/** Looks at one picture somewhere else. Never rejects: a failure is a reason in the sightings. */
export type Look = (picture: Picture) => Promise<readonly Sighting[]>;

/**
 * Returns a stream over `look`: one picture is looked at at a time, at most one of `look` waits, and those of `examine` wait
 * in order (each caller holds its own). `onClose` is called once.
 */
export function createVisionStream(options: VisionStreamOptions, look: Look, onClose: () => void): VisionStream {
  const counts = { looked: 0, skipped: 0, failed: 0 };
  let rate = FIRST_RATE;
  let next: Picture | undefined;
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  const lookAndCount = async (picture: Picture): Promise<readonly Sighting[]> => {
    const sightings = await look(picture);
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
  const take = (picture: Picture): void => {
    const madeWay = next !== undefined;
    const { step } = rate;
    rate = afterTaking(rate, picture.atMs, madeWay);
    if (rate.step !== step) options.onRateChange?.(rateOf(rate.step));
    next = picture;
    if (madeWay) counts.skipped++;
    else last = last.then(takeNext);
  };
  const checkOpen = (): void => {
    if (isClosed) throw new TypeError('the stream is closed');
  };
  return {
    look: (picture) => {
      checkOpen();
      if (isDue(rate, picture.atMs)) take(picture);
      else counts.skipped++;
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
      if (next) counts.skipped++;
      next = undefined;
      onClose();
    },
    counts,
  };
}

/** Reasons that say that a picture was not looked at. */
const FAILURES: ReadonlySet<string> = new Set(['late', 'decode_error', 'unsupported_format', 'vision_down']);
