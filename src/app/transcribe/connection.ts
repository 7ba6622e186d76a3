import type { RecognizerEvent, RecognizerStream } from '../../adapter.ts';
import { UndertoneError } from '../../errors.ts';
import type { Member, Needs } from './pool.ts';
import { createSoundMap } from './soundMap.ts';
import { createSteps, type Steps } from './steps.ts';
import type { Timers } from './timers.ts';

/** What a connection needs, and whom it tells: of events in session time, that it failed while nobody waited, that it closed. */
export type ConnectionOptions = {
  readonly needs: Needs;
  readonly timers: Timers;
  readonly finalWaitMs: number;
  readonly onEvent: (connection: Connection, event: RecognizerEvent) => void;
  readonly onFailure: () => void;
  readonly onClosed: () => void;
};

/** One stream of one recognizer. Each step rejects when the recognizer fails, or takes longer than `STALL_MS`. */
export type Connection = {
  readonly member: Member;
  /** Resolves when the stream is open. */
  readonly ready: Promise<void>;
  /** Why the recognizer gave up, once it did. */
  readonly error: UndertoneError | undefined;
  readonly isClosed: boolean;
  write(startMs: number, samples: Float32Array): Promise<void>;
  /** Asks for a final; resolves when a local recognizer has given it, or none came of the speech. */
  finalize(): Promise<void>;
  end(): Promise<void>;
  /** Closes the stream; a step that is under way rejects. */
  close(): void;
};

const NOTHING = new Float32Array(0);

/** Opens a stream of a recognizer. */
export function connect(member: Member, options: ConnectionOptions): Connection {
  return new RecognizerConnection(member, options);
}

/** Owns the stream of the recognizer. */
class RecognizerConnection implements Connection {
  readonly member: Member;
  readonly ready: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #steps: Steps;
  readonly #sound = createSoundMap();
  #stream: RecognizerStream | undefined;
  #error: UndertoneError | undefined;
  #isClosed = false;
  #onFinal: (() => void) | undefined;

  constructor(member: Member, options: ConnectionOptions) {
    this.member = member;
    this.#options = options;
    this.#steps = createSteps(options.timers, (how) => this.#failed(how));
    this.ready = this.#step(() => this.#open());
  }

  get error(): UndertoneError | undefined {
    return this.#error;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(startMs: number, samples: Float32Array): Promise<void> {
    const lengthMs = samples.length / 16;
    this.#sound.add(startMs, lengthMs);
    this.member.spentMs += lengthMs;
    return this.#step(() => this.#stream?.write(samples) ?? Promise.resolve());
  }

  async finalize(): Promise<void> {
    const isAwaited = !this.member.recognizer.capabilities.isLocal && this.#options.finalWaitMs > 0;
    const final = isAwaited ? this.#remoteFinal() : Promise.resolve();
    await this.#step(async () => {
      this.#stream?.finalize();
      await this.#stream?.write(NOTHING);
      await final;
    });
  }

  end(): Promise<void> {
    return this.#step(() => this.#stream?.end() ?? Promise.resolve());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#steps.fail(this.#failed('was closed'));
    this.#stream?.close();
    this.#options.onClosed();
  }

  async #open(): Promise<void> {
    const { recognizer } = this.member;
    const opened = await recognizer.open({
      ...this.#options.needs,
      onEvent: (event) => this.#hear(event),
      onError: (error) => this.#fail(error),
    });
    if (this.#isClosed) opened.close();
    this.#stream = opened;
  }

  #hear(event: RecognizerEvent): void {
    if (this.#isClosed) return;
    const inSession = toSession(event, (atMs, isEnd) => this.#sound.toSessionMs(atMs, isEnd));
    this.#options.onEvent(this, inSession);
    if (event.type === 'final') this.#onFinal?.();
  }

  #fail(failure: UndertoneError): void {
    if (this.#isClosed) return;
    this.#error ??= failure;
    if (!this.#steps.fail(failure)) this.#options.onFailure();
  }

  #step<T>(work: () => Promise<T>): Promise<T> {
    return this.#error ? Promise.reject(this.#error) : this.#steps.take(work);
  }

  #remoteFinal(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(this.#options.finalWaitMs, resolve);
      this.#onFinal = () => {
        cancel();
        resolve();
      };
    });
  }

  #failed(how: string): UndertoneError {
    return new UndertoneError('RECOGNIZER_FAILED', `${this.member.recognizer.name} ${how}`);
  }
}

function toSession(event: RecognizerEvent, toMs: (atMs: number, isEnd: boolean) => number): RecognizerEvent {
  const span = { startMs: toMs(event.startMs, false), endMs: toMs(event.endMs, true) };
  if (event.type === 'interim') return { ...event, ...span };
  const words = event.words?.map((word) => {
    const startMs = toMs(word.startMs, false);
    return { ...word, startMs, endMs: Math.max(startMs, toMs(word.endMs, true)) };
  });
  return { ...event, ...span, ...(words && { words }) };
}
