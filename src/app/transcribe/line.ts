import type { RecognizerEvent } from '../../adapter.ts';
import { UndertoneError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { createListener, type Listener, type ListenerOptions } from './listener.ts';
import { createUnfinished, type Entry } from './unfinished.ts';

/**
 * What a line needs, and whom it tells. `finalWaitMs`: how long the final of a remote recognizer is waited for before the
 * next sound is given; 0 does not wait.
 */
export type LineOptions = Pick<
  ListenerOptions,
  'pool' | 'needs' | 'timers' | 'nowMs' | 'finalWaitMs' | 'onState' | 'onFault'
> & {
  /** An event in session time; `connection` counts the streams opened so far, whose speaker labels mean nothing to the next. */
  readonly onEvent: (event: RecognizerEvent, connection: number) => void;
};

/** The speech of one audio stream on its way through whichever recognizer of the pool works. */
export type Line = {
  /** Opens a local recognizer before there is speech, if that takes no room of others: the first words come sooner. */
  prepare(): void;
  push(entries: readonly Entry[]): void;
  /** Resolves when everything pushed was given to a recognizer (and answered, if it is local), or nobody works. */
  settle(): Promise<void>;
  /** Resolves when every final was delivered; the line takes nothing more. */
  end(): Promise<void>;
  /** Ends at once. */
  close(): void;
};

/** Speech without a final that is kept for the next recognizer; older speech is lost, which is told as a fault. */
export const KEPT_MS = 30_000;

/** Returns a line that opens a recognizer with its first speech. */
export function createLine(options: LineOptions): Line {
  return new SpeechLine(options);
}

/** Gives the entries, one after the other, to whoever listens; at most one is under way. Owns the listener. */
class SpeechLine implements Line {
  readonly #options: LineOptions;
  readonly #listener: Listener;
  readonly #unfinished = createUnfinished(KEPT_MS);
  #pushedAtMs = 0;
  #lastFinalEndMs = -Infinity;
  #hasLost = false;
  #isRunning = false;
  #isClosed = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: LineOptions) {
    this.#options = options;
    this.#listener = createListener({
      ...options,
      idleMs: () => (this.#isRunning ? 0 : options.nowMs() - this.#pushedAtMs),
      onEvent: (connection, event) => this.#hear(connection, event),
      onLeft: () => this.#unfinished.rewind(),
      onFree: () => this.#pump(),
    });
  }

  prepare(): void {
    if (this.#isRunning || this.#listener.current || !this.#listener.isAtHand()) return;
    this.#isRunning = true;
    this.#idle = this.#listener.find().then(() => this.#run());
  }

  push(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#pushedAtMs = this.#options.nowMs();
    for (const entry of entries) if (this.#unfinished.push(entry) > 0) this.#tellLoss();
    this.#pump();
  }

  async settle(): Promise<void> {
    while (this.#isRunning) await this.#idle;
  }

  async end(): Promise<void> {
    await this.settle();
    for (let ending = this.#listener.current; ending; ending = this.#listener.current) {
      try {
        await this.#listener.dismiss(ending);
      } catch (error) {
        this.#listener.lose(ending, error);
        this.#pump();
      }
      await this.settle();
    }
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#listener.close();
  }

  #hear(connection: Connection, event: RecognizerEvent): void {
    if (this.#listener.current !== connection || this.#isClosed) return;
    if (event.type === 'final') {
      if (event.endMs <= this.#lastFinalEndMs) return;
      this.#lastFinalEndMs = event.endMs;
      this.#unfinished.finished(event.endMs);
      connection.member.breaker.worked();
    }
    this.#options.onEvent(event, this.#listener.opened);
  }

  #tellLoss(): void {
    if (this.#hasLost) return;
    this.#hasLost = true;
    this.#options.onFault(new UndertoneError('LIMIT_EXCEEDED', `speech waits longer than ${KEPT_MS} ms`));
  }

  #pump(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#idle = this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      const { current } = this.#listener;
      if (current?.error) this.#listener.lose(current, current.error);
      const entry = this.#isClosed ? undefined : this.#unfinished.next();
      if (entry === undefined) break;
      const connection = this.#listener.current ?? (await this.#listener.find());
      if (connection === undefined) {
        this.#unfinished.rewind();
        break;
      }
      await this.#give(connection, entry).catch((error: unknown) => this.#listener.lose(connection, error));
    }
    this.#isRunning = false;
  }

  async #give(connection: Connection, entry: Entry): Promise<void> {
    if (entry.type === 'sound') await connection.write(entry.startMs, entry.samples);
    else if (entry.type === 'finalize') {
      await connection.finalize();
      if (connection.member.recognizer.capabilities.isLocal) this.#unfinished.answered();
    } else if (!this.#listener.isFirstChoice(connection)) {
      await this.#listener.dismiss(connection);
      this.#unfinished.answered();
    }
  }
}
