import type { Connection } from './createConnection.ts';
import { createSoundBuffer } from './soundBuffer.ts';
import type { Timers } from './timers.ts';

/** `write` waits while more than this is not sent. */
const COMFORTABLE_MS = 5_000;
/** No more is handed to a socket that holds this much. */
const MAX_SOCKET_BYTES = 256 * 1_024;
const POLL_MS = 20;

type Sink = Pick<Connection, 'isOpen' | 'waitingBytes' | 'sendSound' | 'sendText'>;

/** What goes out on one stream, over all its connections: sound, then what is asked for once it is sent. */
export class Outgoing {
  readonly #sink: () => Sink;
  readonly #timers: Timers;
  readonly #sound = createSoundBuffer();
  #endedAtMs: number | null = null;
  #isFinalizeDue = false;
  #isCloseSent = false;
  #isStopped = false;
  #waiters: (() => void)[] = [];
  #cancelPoll = (): void => undefined;

  /** `sink`: where things go now; asked whenever something is to be sent. */
  constructor(sink: () => Sink, timers: Timers) {
    this.#sink = sink;
    this.#timers = timers;
  }

  /** Whether Deepgram was told on this connection that nothing more comes. */
  get isCloseSent(): boolean {
    return this.#isCloseSent;
  }

  /** Resolves when more may be given. @throws RangeError when too much waits */
  write(samples: Float32Array): Promise<void> {
    this.#sound.push(samples);
    this.pump();
    return this.#sound.waitingMs() <= COMFORTABLE_MS ? Promise.resolve() : this.#untilReleased();
  }

  /** Asks for the final of all that was written, once it is sent. */
  finalize(): void {
    this.#isFinalizeDue = true;
    this.pump();
  }

  /** Nothing more comes; resolves when everything has stopped. */
  end(): Promise<void> {
    this.#endedAtMs ??= this.#timers.now();
    const ended = this.#untilReleased();
    this.pump();
    return ended;
  }

  /** How long ago the end was; 0 before. */
  endedMs(): number {
    return this.#endedAtMs === null ? 0 : this.#timers.now() - this.#endedAtMs;
  }

  /** Sends as much as the connection takes now, and comes back for the rest. */
  pump(): void {
    this.#cancelPoll();
    if (this.#isStopped) return;
    this.#sendSound();
    if (this.#isStopped) return;
    if (this.#sound.waitingMs() <= COMFORTABLE_MS && this.#endedAtMs === null) this.#release();
    if (!this.#sink().isOpen()) return;
    if (this.#sound.waitingMs() > 0) this.#cancelPoll = this.#timers.after(POLL_MS, () => this.pump());
    else this.#sayLast();
  }

  /** Sound before `beforeMs` will not be sent again. */
  forget(beforeMs: number): void {
    this.#sound.forget(beforeMs);
  }

  /** The next connection begins: where what it is given starts, at `fromMs` or later; `null` when sound from `neededMs` on is not kept. */
  beginAgain(fromMs: number, neededMs: number): number | null {
    this.#isCloseSent = false;
    return this.#sound.keptFromMs() > neededMs ? null : this.#sound.rewind(Math.max(0, fromMs));
  }

  /** Nothing is sent any more, and nobody waits. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelPoll();
    this.#release();
  }

  #sendSound(): void {
    const sink = this.#sink();
    while (!this.#isStopped && sink.isOpen() && sink.waitingBytes() < MAX_SOCKET_BYTES) {
      const piece = this.#sound.take();
      if (piece === null) return;
      sink.sendSound(piece);
    }
  }

  #sayLast(): void {
    if (this.#isFinalizeDue) this.#sink().sendText('Finalize');
    this.#isFinalizeDue = false;
    if (this.#endedAtMs === null || this.#isCloseSent) return;
    this.#isCloseSent = true;
    this.#sink().sendText('CloseStream');
  }

  #untilReleased(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #release(): void {
    const released = this.#waiters;
    this.#waiters = [];
    for (const resume of released) resume();
  }
}
