import type { RecognizerStream, RecognizerStreamOptions } from '../../../src/adapter.ts';
import { clampSamples } from '../../../src/domain/clamp.ts';
import { UndertoneError } from '../../../src/errors.ts';
import type { SherpaReply, SherpaRequest, SherpaResult } from './messages.ts';
import { toEvent } from './toEvent.ts';

/** How much sound of a stream may wait for the model: 30 s. */
export const MAX_WAITING_SAMPLES = 480_000;

/** A stream that is told what the process says of it, or that the process has ended. */
export type OpenStream = RecognizerStream & {
  hear(reply: SherpaReply): void;
  fail(reason: string): void;
};

type Parts = Pick<RecognizerStreamOptions, 'onEvent' | 'onError' | 'severalSpeakers'> & {
  readonly id: number;
  readonly post: (request: SherpaRequest) => void;
  readonly onClosed: () => void;
};

/** Opens a stream of a process. */
export function openStream(parts: Parts): OpenStream {
  return new ProcessStream(parts);
}

/** Owns its part of the process, which it tells when it is closed. */
class ProcessStream implements OpenStream {
  readonly #parts: Parts;
  /** Writes that the process has not answered, in order. */
  #writes: { readonly size: number; readonly resolve: () => void }[] = [];
  #enders: (() => void)[] = [];
  #waitingSamples = 0;
  #givenUntilMs = 0;
  /** Nothing is given any more by whoever writes. */
  #isEnded = false;
  /** Nothing is said any more to whoever listens. */
  #isOver = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { id, severalSpeakers = true } = parts;
    parts.post({ type: 'open', id, tellsSpeakers: severalSpeakers });
  }

  write(samples: Float32Array): Promise<void> {
    if (this.#isEnded) throw new TypeError('write: the stream has ended or is closed');
    if (this.#isOver || samples.length === 0) return Promise.resolve();
    if (this.#waitingSamples + samples.length > MAX_WAITING_SAMPLES)
      throw new RangeError(`write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the last write before`);
    this.#waitingSamples += samples.length;
    this.#parts.post({ type: 'write', id: this.#parts.id, samples: clampSamples(samples) });
    return new Promise((resolve) => this.#writes.push({ size: samples.length, resolve }));
  }

  finalize(): void {
    if (!this.#isEnded && !this.#isOver) this.#ask('finalize');
  }

  end(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const ended = new Promise<void>((resolve) => this.#enders.push(resolve));
    if (!this.#isEnded) this.#ask('end');
    this.#isEnded = true;
    return ended;
  }

  close(): void {
    this.#isEnded = true;
    this.#parts.onClosed();
    if (this.#isOver) return;
    this.#settle();
    this.#ask('close');
  }

  hear(reply: SherpaReply): void {
    if (this.#isOver) return;
    if (reply.type === 'result') this.#tell(reply.result);
    else if (reply.type === 'written') this.#hasWritten();
    else if (reply.type === 'ended') this.#settle();
    else if (reply.type === 'failed') this.fail(reply.reason);
  }

  fail(reason: string): void {
    if (this.#isOver) return;
    this.#settle();
    this.#parts.onError(new UndertoneError('RECOGNIZER_FAILED', reason));
  }

  #ask(type: 'finalize' | 'end' | 'close'): void {
    this.#parts.post({ type, id: this.#parts.id });
  }

  #tell(result: SherpaResult): void {
    const event = toEvent(result, this.#givenUntilMs);
    if (event?.type === 'final') this.#givenUntilMs = event.endMs;
    if (event !== null) this.#parts.onEvent(event);
  }

  #hasWritten(): void {
    const write = this.#writes.shift();
    this.#waitingSamples -= write?.size ?? 0;
    write?.resolve();
  }

  /** Whoever waits goes on; nothing follows. */
  #settle(): void {
    this.#isOver = true;
    for (const { resolve } of this.#writes) resolve();
    for (const resolve of this.#enders) resolve();
    this.#writes = [];
    this.#enders = [];
  }
}
