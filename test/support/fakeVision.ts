import type { Picture, Sighting, VisionExtractor, VisionModality, VisionStreamOptions } from '../../src/adapter.ts';
import { rowOf } from './pictures.ts';

/** A stream of a scripted extractor: what it was given, and what it is made to say. */
export type FakeLook = {
  readonly modalities: readonly VisionModality[];
  readonly pictures: Picture[];
  isClosed: boolean;
  /** Answers the picture of `atMs`: it shows somebody, or `reason`. */
  see(atMs: number, reason?: Extract<Sighting, { reason: unknown }>['reason']): void;
  fault(): void;
  /** Lets `flush` resolve. */
  finish(): void;
};

/** An extractor that a test plays. `refuse` makes the next `open` fail. */
export type FakeVision = {
  readonly extractor: VisionExtractor;
  readonly looks: FakeLook[];
  refuse(error: Error): void;
};

export function createFakeVision(modalities: readonly VisionModality[] = ['face', 'body']): FakeVision {
  const looks: FakeLook[] = [];
  let refusal: Error | undefined;
  const open = async (options: VisionStreamOptions) => {
    const error = refusal;
    refusal = undefined;
    if (error) throw error;
    let finish = (): void => undefined;
    const flushed = new Promise<void>((resolve) => (finish = resolve));
    const look: FakeLook = {
      modalities: options.modalities,
      pictures: [],
      isClosed: false,
      see: (atMs, reason) => {
        const seen = (modality: VisionModality): Sighting =>
          reason ? { modality, atMs, reason } : { modality, atMs, row: rowOf(modality) };
        if (!look.isClosed) options.onSightings?.(options.modalities.map(seen));
      },
      fault: () => options.onFault?.({ code: 'VISION_DOWN', message: 'a thread ended' }),
      finish,
    };
    looks.push(look);
    return {
      look: (picture: Picture) => void look.pictures.push(picture),
      examine: () => Promise.reject(new Error('live pictures are not examined')),
      flush: () => flushed,
      close: () => {
        look.isClosed = true;
        finish();
      },
      counts: { looked: 0, skipped: 0, failed: 0 },
    };
  };
  return {
    extractor: { name: 'fake', modalities, open, close: async () => undefined },
    looks,
    refuse: (error) => (refusal = error),
  };
}
