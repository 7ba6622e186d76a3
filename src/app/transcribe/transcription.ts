import type { Recognizer } from '../../adapter.ts';
import type { Observation, StreamOpened, VoiceActivity } from '../../domain/observation.ts';
import { type Audience, type CaptionedSpeech, createAudience } from './audience.ts';
import { createEars, type Ears } from './ears.ts';
import type { Timers } from './timers.ts';
import { createPool, DEFAULT_POOL, type PoolSettings } from './pool.ts';
import { createResults, type Results } from './results.ts';
import type { Seats } from './seats.ts';

/** How speech becomes text. */
export type TranscriptionOptions = {
  /** In the order in which they are preferred; the transcription does not close them. */
  readonly recognizers: readonly Recognizer[];
  readonly timers: Timers;
  /** What becomes of speech that has captions; `left` unless given. */
  readonly captioned?: CaptionedSpeech;
  /** The room of the recognizers that is shared with other sessions. */
  readonly seats?: Seats;
  readonly pool?: PoolSettings;
  /** At most how long `settle` waits for each final of a remote recognizer; 0 (the default) does not wait. */
  readonly finalWaitMs?: number;
  /** Told when `drain` has something. */
  readonly onResult?: () => void;
};

/** The recognition of one session's audio streams. */
export type Transcription = {
  /** Takes note of an observation of the session; voice is recognized. Never waits: sound beyond 30 s is let go. */
  hear(observation: Observation): void;
  /** Whether these words are left out, because those of a recognizer stand for them; ask before `hear`. */
  isReplaced(observation: Observation): boolean;
  /** What recognizers said since the last call, arriving at the session time `atMs`. */
  drain(atMs: number): readonly Observation[];
  /** Resolves when all that was heard has been given to a recognizer, and answered by a local one. */
  settle(): Promise<void>;
  /** There is no more sound: resolves when every final can be drained. */
  end(): Promise<void>;
  /** Ends at once. */
  close(): void;
};

/** What comes again after a stream delivered nothing for less than this goes on with what was being said. */
const HOLD_MS = 5_000;
/** What may change who is listened to. */
const CHANGES: ReadonlySet<Observation['type']> = new Set(['streamOpened', 'streamClosed', 'consent']);

/**
 * Returns the recognition of a session: interim and final transcripts on a stream `asr:<audio stream>` for each audio
 * stream that is listened to (see `createAudience`), of its speaker when it has one, else of whom the recognizer tells apart
 * (S1, S2 …). Only speech is recognized. While no recognizer works, or none has room, the text stream is interrupted
 * (`transcriber_down`, `overload`).
 */
export function createTranscription(options: TranscriptionOptions): Transcription {
  return new SessionTranscription(options);
}

/** Opens and closes the text streams of a session as its audience changes. Owns the ears. */
class SessionTranscription implements Transcription {
  readonly #audience: Audience;
  readonly #results: Results;
  readonly #ears: Ears;
  /** Audio streams whose text stream is open. */
  readonly #told = new Set<string>();
  /** Since when streams deliver nothing. */
  readonly #paused = new Map<string, number>();
  /** Streams whose last words are still to come. */
  readonly #ending = new Set<Promise<void>>();
  #clockMs = 0;

  constructor(options: TranscriptionOptions) {
    this.#audience = createAudience(options.captioned);
    this.#results = createResults(options.onResult);
    this.#ears = createEars({
      pool: createPool(options.recognizers, options.pool ?? DEFAULT_POOL, options.seats),
      timers: options.timers,
      nowMs: () => this.#clockMs,
      finalWaitMs: options.finalWaitMs ?? 0,
      tell: (observation) => this.#results.tell(observation),
    });
  }

  hear(observation: Observation): void {
    this.#clockMs = Math.max(this.#clockMs, observation.arrivalMs);
    if (observation.type === 'voice') return this.#listen(observation);
    this.#audience.observe(observation);
    this.#follow(observation);
    if (CHANGES.has(observation.type)) this.#review();
    if (this.#paused.size > 0) this.#finishPaused();
  }

  isReplaced(observation: Observation): boolean {
    return this.#audience.isReplaced(observation);
  }

  drain(atMs: number): readonly Observation[] {
    return this.#results.drain(atMs);
  }

  async settle(): Promise<void> {
    await Promise.all([this.#ears.settle(), ...this.#ending]);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#ears.ids().map((streamId) => this.#ears.finish(streamId)), ...this.#ending]);
  }

  close(): void {
    this.#ears.close();
  }

  #listen(voice: VoiceActivity): void {
    const { streamId } = voice;
    if (this.#audience.isHeard(streamId)) this.#ears.of(this.#audience.streamOf(streamId))?.hear(voice);
  }

  /** What becomes of speech on a stream that breaks off, comes again or ends. */
  #follow(observation: Observation): void {
    if (observation.type === 'streamInterrupted' && this.#ears.has(observation.streamId))
      this.#paused.set(observation.streamId, observation.reason === 'muted' ? -Infinity : this.#clockMs);
    else if (observation.type === 'streamRestored') this.#paused.delete(observation.streamId);
    else if (observation.type === 'streamClosed' && this.#isFollowed(observation.streamId))
      this.#close(observation.streamId);
  }

  #isFollowed(streamId: string): boolean {
    return this.#told.has(streamId) || this.#ears.has(streamId);
  }

  /** Begins and ends to listen where what was observed last changed who is listened to. */
  #review(): void {
    for (const stream of this.#audience.streams()) {
      const { streamId } = stream;
      if (this.#audience.isWithheld(streamId)) this.#silence(streamId);
      else if (this.#audience.isHeard(streamId) && !this.#told.has(streamId)) this.#open(stream);
      else if (!this.#audience.isHeard(streamId) && this.#told.has(streamId)) this.#close(streamId);
    }
  }

  #open(stream: StreamOpened): void {
    const { streamId, speaker } = stream;
    this.#told.add(streamId);
    const more = speaker ? { speaker } : {};
    this.#results.tell({
      type: 'streamOpened',
      arrivalMs: 0,
      streamId: `asr:${streamId}`,
      kind: 'captions',
      ...more,
    });
    this.#ears.of(stream)?.prepare();
  }

  /** The last words follow, then the text stream closes. */
  #close(streamId: string): void {
    this.#told.delete(streamId);
    this.#paused.delete(streamId);
    const closed = this.#ears.finish(streamId).then(() => {
      this.#ending.delete(closed);
      if (this.#told.has(streamId)) return;
      const at = { arrivalMs: 0, streamId: `asr:${streamId}` };
      this.#results.tell({ type: 'streamClosed', ...at, reason: 'track_ended' });
    });
    this.#ending.add(closed);
  }

  /** Nothing more goes to a recognizer, and what it said is forgotten. */
  #silence(streamId: string): void {
    this.#ears.silence(streamId);
    this.#results.forget(`asr:${streamId}`);
  }

  /** Speech that broke off is over: at once by muting, else when nothing came for a while. */
  #finishPaused(): void {
    for (const [streamId, sinceMs] of this.#paused) {
      if (this.#clockMs - sinceMs < HOLD_MS) continue;
      this.#paused.delete(streamId);
      this.#ears.pause(streamId);
    }
  }
}
