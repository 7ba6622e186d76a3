import type { RecognizerStream, RecognizerStreamOptions } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { SherpaReply, SherpaRequest } from './messages.ts';
import { toEvent } from './toEvent.ts';

/** How much sound of a stream may wait for the model: 30 s. */
export const MAX_WAITING_SAMPLES = 480_000;

/** A stream, and what tells it what the process says of it, or that the process has ended. */
export type OpenStream = {
  readonly stream: RecognizerStream;
  readonly hear: (reply: SherpaReply) => void;
  readonly fail: (reason: string) => void;
};

type Parts = Pick<RecognizerStreamOptions, 'onEvent' | 'onError' | 'severalSpeakers'> & {
  readonly id: number;
  readonly post: (request: SherpaRequest) => void;
  readonly onClosed: () => void;
};

/** Opens a stream of a process. */
export function openStream({ id, post, onEvent, onError, onClosed, severalSpeakers = true }: Parts): OpenStream {
  let writes: { readonly size: number; readonly resolve: () => void }[] = [];
  let enders: (() => void)[] = [];
  let waitingSamples = 0;
  let givenUntilMs = 0;
  let isEnded = false;
  let isOver = false;
  const settle = (): void => {
    isOver = true;
    for (const { resolve } of writes) resolve();
    for (const resolve of enders) resolve();
    writes = [];
    enders = [];
  };
  const fail = (reason: string): void => {
    if (isOver) return;
    settle();
    onError(new UndertoneError('RECOGNIZER_FAILED', reason));
  };
  post({ type: 'open', id, tellsSpeakers: severalSpeakers });
  const hear = (reply: SherpaReply): void => {
    if (isOver) return;
    if (reply.type === 'result') {
      const event = toEvent(reply.result, givenUntilMs);
      if (event?.type === 'final') givenUntilMs = event.endMs;
      if (event !== null) onEvent(event);
    } else if (reply.type === 'written') {
      const write = writes.shift();
      waitingSamples -= write?.size ?? 0;
      write?.resolve();
    } else if (reply.type === 'ended') settle();
    else if (reply.type === 'failed') fail(reply.reason);
  };
  const stream: RecognizerStream = {
    write: (samples) => {
      if (isEnded) throw new TypeError('write: the stream has ended or is closed');
      if (isOver || samples.length === 0) return Promise.resolve();
      if (waitingSamples + samples.length > MAX_WAITING_SAMPLES)
        throw new RangeError(`write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the last write before`);
      waitingSamples += samples.length;
      const copy = samples.map((sample) => (Number.isNaN(sample) ? 0 : Math.max(-1, Math.min(1, sample))));
      post({ type: 'write', id, samples: copy });
      return new Promise((resolve) => writes.push({ size: samples.length, resolve }));
    },
    finalize: () => {
      if (!isEnded && !isOver) post({ type: 'finalize', id });
    },
    end: () => {
      if (isOver) return Promise.resolve();
      const ended = new Promise<void>((resolve) => enders.push(resolve));
      if (!isEnded) post({ type: 'end', id });
      isEnded = true;
      return ended;
    },
    close: () => {
      isEnded = true;
      onClosed();
      if (isOver) return;
      settle();
      post({ type: 'close', id });
    },
  };
  return { stream, hear, fail };
}
