import type { Sighting, VisionModality } from '../adapter.ts';
import { type ErrorCode, UndertoneError } from '../errors.ts';
import type { ThreadAnswer, ThreadRequest } from './threadMessages.ts';

/** A thread that looks at pictures. Every promise rejects once the thread has ended. */
export type VisionThread<Image, Models> = {
  open(id: number, modalities: readonly VisionModality[], models: Models): Promise<void>;
  look(id: number, picture: Image): Promise<readonly Sighting[]>;
  forget(id: number): void;
  end(): Promise<void>;
  /** Whether the thread has ended. */
  readonly hasEnded: boolean;
};

/** The way to a thread of this runtime. */
export type ThreadPort<Image, Models> = {
  post(request: ThreadRequest<Image, Models>): void;
  terminate(): Promise<unknown>;
  /** Called when the thread has something to answer, and when it has nothing any more. */
  setBusy(isBusy: boolean): void;
};

/** What the port tells. */
export type ThreadListener = {
  readonly heard: (answer: ThreadAnswer) => void;
  readonly ended: (cause: Error) => void;
};

/** A thread that says nothing for this long hangs, and is ended. */
const HANG_MS = 60_000;

type Waiting = { readonly resolve: (sightings: readonly Sighting[]) => void; readonly reject: (cause: Error) => void };

/** Returns a thread behind the port that `connect` opens. @param hangMs How long an answer may take, in ms. */
export function createVisionThread<Image, Models>(
  connect: (listener: ThreadListener) => ThreadPort<Image, Models>,
  hangMs: number = HANG_MS,
): VisionThread<Image, Models> {
  const waiting = new Map<number, Waiting>();
  let watch: ReturnType<typeof setTimeout> | undefined;
  let cause: Error | undefined;
  const ended = (why: Error): void => {
    cause ??= why;
    clearTimeout(watch);
    const left = [...waiting.values()];
    waiting.clear();
    for (const { reject } of left) reject(cause);
  };
  const end = async (why: string): Promise<void> => {
    ended(new Error(why));
    await port.terminate();
  };
  const watchOver = (): void => {
    clearTimeout(watch);
    if (waiting.size > 0)
      watch = setTimeout(() => void end('the thread ended: it answered nothing for too long'), hangMs);
    port.setBusy(waiting.size > 0);
  };
  const heard = (answer: ThreadAnswer): void => {
    if (answer.type === 'working') return watchOver();
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    watchOver();
    if (answer.type === 'failed') asked?.reject(failureOf(answer));
    else asked?.resolve(answer.type === 'seen' ? answer.sightings : []);
  };
  const port = connect({ heard, ended });
  const ask = (request: ThreadRequest<Image, Models>): Promise<readonly Sighting[]> =>
    new Promise((resolve, reject) => {
      if (cause) return reject(cause);
      port.post(request);
      waiting.set(request.id, { resolve, reject });
      watchOver();
    });
  return {
    open: async (id, modalities, models) => void (await ask({ type: 'open', id, modalities, models })),
    look: (id, picture) => ask({ type: 'look', id, picture }),
    forget: (id) => {
      if (!cause) port.post({ type: 'close', id });
    },
    end: () => end('the thread was ended'),
    get hasEnded() {
      return cause !== undefined;
    },
  };
}

/** Errors lose their class on the way from a thread; the code is sent along. */
function failureOf({ message, code }: Extract<ThreadAnswer, { type: 'failed' }>): Error {
  return code === undefined ? new Error(message) : new UndertoneError(code as ErrorCode, message);
}
