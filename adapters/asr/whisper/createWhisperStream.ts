import type {
  RecognizerStream,
  RecognizerStreamOptions,
  VoiceActivityDetector,
  VoiceActivityStream,
} from '../../../src/adapter.ts';
import { clampSamples } from '../../../src/domain/clamp.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { createSegmenter, type Segmenter, type SpeechPiece } from './createSegmenter.ts';
import { toFinals } from './toFinals.ts';
import type { WhisperBinding } from './whisperBinding.ts';

/** What a stream is made of. */
export type WhisperStreamParts = RecognizerStreamOptions & {
  readonly vad: VoiceActivityDetector;
  readonly transcribe: WhisperBinding['transcribe'];
  /** The stream was closed by whoever opened it. */
  readonly onClosed: () => void;
};

/** How much sound may wait for voice activity and recognition: 60 s. */
export const MAX_WAITING_SAMPLES = 960_000;
const SAMPLES_PER_MS = 16;

/**
 * Opens a stream: voice activity cuts the sound into pieces of speech, and each is recognized when it has ended. `write`
 * resolves when its sound has been cut and, where a piece ended in it, recognized: a slow machine slows the source.
 */
export function createWhisperStream(parts: WhisperStreamParts): RecognizerStream {
  return new WhisperStream(parts);
}

/** Does one thing after the other: cutting, recognizing. Owns its voice activity. */
class WhisperStream implements RecognizerStream {
  readonly #parts: WhisperStreamParts;
  readonly #activity: VoiceActivityStream;
  readonly #segmenter: Segmenter;
  readonly #frameSamples: number;
  /** Sound that fills no frame yet. */
  #held = new Float32Array(0);
  #waitingSamples = 0;
  #givenUntilMs = 0;
  /** Nothing is given any more by whoever writes. */
  #isEnded = false;
  /** Nothing is said any more to whoever listens. */
  #isOver = false;
  #previous: Promise<void> = Promise.resolve();

  constructor(parts: WhisperStreamParts) {
    this.#parts = parts;
    this.#activity = parts.vad.open();
    this.#segmenter = createSegmenter(this.#activity.frameMs);
    this.#frameSamples = this.#activity.frameMs * SAMPLES_PER_MS;
  }

  write(samples: Float32Array): Promise<void> {
    if (this.#isEnded) throw new TypeError('write: the stream has ended or is closed');
    if (this.#isOver) return Promise.resolve();
    if (this.#waitingSamples + samples.length > MAX_WAITING_SAMPLES)
      throw new RangeError(
        `write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the last write before the next`,
      );
    const copy = clampSamples(samples);
    this.#waitingSamples += copy.length;
    return this.#queue(() => this.#cut(copy)).finally(() => {
      this.#waitingSamples -= copy.length;
    });
  }

  finalize(): void {
    if (!this.#isEnded) void this.#queue(() => this.#recognize(this.#segmenter.flush()));
  }

  end(): Promise<void> {
    this.#isEnded = true;
    return this.#queue(() => this.#recognize(this.#segmenter.flush()));
  }

  close(): void {
    this.#isEnded = true;
    if (!this.#isOver) this.#stop();
    this.#parts.onClosed();
  }

  /** Does `work` after all that was asked for before; a failure ends the stream. */
  #queue(work: () => Promise<void>): Promise<void> {
    this.#previous = this.#previous.then(async () => {
      if (!this.#isOver) await work().catch((cause: unknown) => this.#fail(cause));
    });
    return this.#previous;
  }

  async #cut(samples: Float32Array): Promise<void> {
    const probabilities = await this.#activity.process(samples);
    const sound = new Float32Array(this.#held.length + samples.length);
    sound.set(this.#held);
    sound.set(samples, this.#held.length);
    let at = 0;
    for (const probability of probabilities) {
      const piece = this.#segmenter.push(sound.slice(at, at + this.#frameSamples), probability);
      at += this.#frameSamples;
      await this.#recognize(piece);
    }
    this.#held = sound.slice(at);
  }

  async #recognize(piece: SpeechPiece | null): Promise<void> {
    if (piece === null || this.#isOver) return;
    const segments = await this.#parts.transcribe(piece.samples, this.#parts.language);
    for (const final of toFinals(piece, segments, this.#givenUntilMs)) {
      if (this.#isOver) return;
      this.#givenUntilMs = final.endMs;
      this.#parts.onEvent(final);
    }
  }

  #fail(cause: unknown): void {
    if (this.#isOver) return;
    this.#stop();
    this.#parts.onError(new UndertoneError('RECOGNIZER_FAILED', 'whisper failed on a piece of speech', { cause }));
  }

  #stop(): void {
    this.#isOver = true;
    this.#activity.close();
  }
}
