import type { SightlessReason, VisionModality } from '../adapter.ts';
import { isUndertoneError } from '../errors.ts';
import type { Onlooker } from './onlooker.ts';
import type { Pixels } from './pixelStore.ts';
import type { ThreadAnswer, ThreadRequest } from './threadMessages.ts';

/** What a thread of this runtime does in its own way. */
export type ThreadWork<Image, Models> = {
  /** `onProgress` is to be called while something comes from afar, so that nobody takes the thread for dead. */
  readonly open: (modalities: readonly VisionModality[], models: Models, onProgress: () => void) => Promise<Onlooker>;
  /** The pixels of a picture, or why there are none. Never throws. */
  readonly read: (picture: Image) => Pixels | SightlessReason;
  /** Called once with each picture, when nothing more is read of it. */
  readonly release: (picture: Image) => void;
  readonly answer: (message: ThreadAnswer) => void;
};

/** Returns what a thread does with each request: they are done one after the other, and each is answered. */
export function createRequestHandler<Image extends { readonly atMs: number }, Models>({
  open,
  read,
  release,
  answer,
}: ThreadWork<Image, Models>): (request: ThreadRequest<Image, Models>) => void {
  const onlookers = new Map<number, Onlooker>();
  let last = Promise.resolve();
  const look = async (id: number, picture: Image): Promise<void> => {
    try {
      const onlooker = onlookers.get(id);
      if (!onlooker) throw new Error('the stream is not open here');
      answer({ type: 'seen', id, sightings: await onlooker.look(picture.atMs, () => read(picture)) });
    } finally {
      release(picture);
    }
  };
  const handle = async (request: ThreadRequest<Image, Models>): Promise<void> => {
    const { id } = request;
    try {
      if (request.type === 'look') await look(id, request.picture);
      else if (request.type === 'open') {
        onlookers.set(id, await open(request.modalities, request.models, () => answer({ type: 'working', id })));
        answer({ type: 'opened', id });
      } else {
        onlookers.get(id)?.close();
        onlookers.delete(id);
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown';
      answer({ type: 'failed', id, message, ...(isUndertoneError(error) && { code: error.code }) });
    }
  };
  return (request) => {
    last = last.then(() => handle(request));
  };
}
