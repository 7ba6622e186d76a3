import type { Picture, Sighting, VisionStream } from '../../adapter.ts';
import type { MissingReason } from '../../domain/modality.ts';
import type { FaultObserved, VisualFrame } from '../../domain/observation.ts';
import { isUndertoneError, UndertoneError } from '../../errors.ts';
import type { Looking } from '../models/openLooking.ts';
import { createUnseen } from './unseen.ts';

/** What is told of a stream of pictures, before it is known when that arrives. */
export type Told = Omit<VisualFrame, 'arrivalMs'> | Omit<FaultObserved, 'arrivalMs'>;

/** Looks at the pictures of one live stream. */
export type LiveEye = {
  /** Takes a picture and returns at once: of those that wait the newest wins. */
  look(picture: Picture): void;
  /** No more pictures come: resolves when the last was looked at, or cannot be. */
  end(): Promise<void>;
  /** Ends at once; nothing more is told. */
  close(): void;
};

/** What an eye looks with and for, and who is told. */
export type LiveEyeOptions = Looking & { readonly streamId: string; readonly tell: (told: Told) => void };

/** An extractor that could not be opened is tried again after this long, on the clock of the pictures. */
const RETRY_MS = 10_000;

/**
 * Returns an eye that takes a place in the extractor with its first picture. For the time that pictures came and nobody could
 * look, it tells why: `vision_down` while the extractor is being started or replaced, else `overload`. Faults of one
 * kind that opening gives are told once.
 */
export function createLiveEye({ extractor, modalities, streamId, tell }: LiveEyeOptions): LiveEye {
  const unseen = createUnseen();
  const faults = new Set<string>();
  let stream: VisionStream | undefined;
  let opening: Promise<void> | undefined;
  let waiting: Picture | undefined;
  let retryMs = -Infinity;
  let missing: MissingReason = 'vision_down';
  let isClosed = false;

  const declare = (times: readonly number[]): void => {
    for (const atMs of times)
      for (const modality of modalities) tell({ type: 'visual', streamId, modality, atMs, reason: missing });
  };
  const onSightings = (sightings: readonly Sighting[]): void => {
    const isDown = sightings.some((seen) => 'reason' in seen && seen.reason === 'vision_down');
    const [first] = sightings;
    if (first) declare(unseen.seen(first.atMs));
    missing = isDown ? 'vision_down' : 'overload';
    for (const sighting of sightings) tell({ type: 'visual', streamId, ...sighting });
  };
  const onFault = (fault: { readonly code: string; readonly message: string }): void => {
    missing = 'vision_down';
    tell({ type: 'fault', streamId, ...fault });
  };
  const fail = (error: unknown, atMs: number): void => {
    const { code, message } = isUndertoneError(error)
      ? error
      : new UndertoneError('VISION_DOWN', 'the extractor of faces and bodies could not be opened');
    missing = code === 'LIMIT_EXCEEDED' ? 'overload' : 'vision_down';
    retryMs = atMs + RETRY_MS;
    if (!faults.has(code)) tell({ type: 'fault', streamId, code, message });
    faults.add(code);
  };
  const open = async (atMs: number): Promise<void> => {
    try {
      const opened = await extractor.open({ modalities, onSightings, onFault });
      if (isClosed) return opened.close();
      stream = opened;
      if (waiting) opened.look(waiting);
    } catch (error) {
      if (!isClosed) fail(error, atMs);
    } finally {
      waiting = undefined;
      opening = undefined;
    }
  };
  const close = (): void => {
    isClosed = true;
    waiting = undefined;
    stream?.close();
  };
  return {
    look: (picture) => {
      if (isClosed) return;
      declare(unseen.came(picture.atMs));
      if (stream) return stream.look(picture);
      if (!opening && picture.atMs < retryMs) return;
      waiting = picture;
      opening ??= open(picture.atMs);
    },
    end: async () => {
      await opening;
      await stream?.flush();
      close();
    },
    close,
  };
}
