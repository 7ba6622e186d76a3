import type { OperatorFunction } from 'rxjs';
import type { MissingReason } from '../domain/modality.ts';
import type { StreamClosed, VoiceActivity } from '../domain/observation.ts';
import { setBounded } from './bounded.ts';
import { checkEndpointing, createEndpointer } from './endpointer.ts';
import type { EndpointEvent, Endpointer, EndpointingSettings, Frame } from './endpointer.ts';
import type { Signal } from './signal.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, type Streams } from './streams.ts';

const MAX_STREAMS = 512;
/** A stream that delivers nothing for this long, beyond the gap, no longer keeps an utterance open. */
const STALL_MS = 1_000;
/** A stream known to be interrupted keeps its utterance open this long: what is sent again may continue it. */
const HOLD_MS = 15_000;
/** After these, nothing is sent again. */
const WITHOUT_RETURN: ReadonlySet<MissingReason> = new Set(['muted', 'consent', 'privacy']);

type Ear = { readonly endpointer: Endpointer; untilMs: number; heardAtMs: number; stretchId: string };

/**
 * Emits each signal and, from voice activity, where speech opens and closes on each audio stream: an utterance opens at
 * once, closes after `gapMs` of pause, is dropped when shorter than `minSpeechMs` and cut at `maxMs`. Streams are
 * independent. After each block of voice, `endpointed` says how far the stream has been heard. Frames that repeat what
 * was heard are ignored; missing ones count as pause. Streams whose speech a diarizer bounds are left alone.
 * A stream that delivers nothing for a second beyond the gap closes its speech; one that is interrupted (but not because its
 * speaker is muted) keeps it for 15 s, so that a connection that comes back and sends again continues the utterance.
 * A closing stream and the end of the session close open speech; on error it is dropped.
 * @throws RangeError when a setting breaks its rule.
 */
export function endpointing(settings: EndpointingSettings, hasTurns: boolean): OperatorFunction<Signal, Signal> {
  checkEndpointing(settings);
  return stage(() => new Endpointing(settings, hasTurns));
}

/** Signals are made at the session time of the latest one. */
class Endpointing implements Required<Stage<Signal, Signal>> {
  readonly #settings: EndpointingSettings;
  readonly #streams: Streams;
  readonly #ears = new Map<string, Ear>();
  #stretches = 0;
  #clockMs = 0;

  constructor(settings: EndpointingSettings, hasTurns: boolean) {
    this.#settings = settings;
    this.#streams = createStreams(hasTurns);
  }

  next(signal: Signal): readonly Signal[] {
    this.#clockMs = Math.max(this.#clockMs, signal.arrivalMs);
    this.#streams.observe(signal);
    switch (signal.type) {
      case 'voice':
        return this.#closeStalled(this.#hear(signal));
      case 'speakerTurn':
        if (this.#isDiarized(signal.streamId)) return [...this.#abandon(signal.streamId), signal];
        return this.#closeStalled([signal]);
      case 'streamInterrupted':
      case 'streamRestored':
        this.#hold(signal.streamId);
        return this.#closeStalled([signal]);
      case 'streamClosed':
        return this.#end(signal);
      default:
        return this.#closeStalled([signal]);
    }
  }

  complete(): readonly Signal[] {
    return [...this.#ears.keys()].flatMap((streamId) => this.#close(streamId));
  }

  #hear(voice: VoiceActivity): Signal[] {
    const signals: Signal[] = [voice];
    const { streamId, speech, speechStartMs, frameMs } = voice;
    if (this.#isDiarized(streamId)) return signals;
    const ear = this.#earOf(streamId);
    ear.heardAtMs = this.#clockMs;
    for (let index = 0; index < speech.length; index++) {
      const startMs = speechStartMs + index * frameMs;
      if (startMs < ear.untilMs - frameMs / 2) continue;
      ear.untilMs = startMs + frameMs;
      this.#hearFrame(streamId, ear, { startMs, endMs: ear.untilMs, probability: speech[index] ?? 0 }, signals);
    }
    if (speech.length > 0) signals.push(this.#endpointed(streamId, ear.untilMs));
    return signals;
  }

  #hearFrame(streamId: string, ear: Ear, frame: Frame, signals: Signal[]): void {
    for (const event of ear.endpointer.next(frame)) {
      if (event.type === 'closed') signals.push(this.#endpointed(streamId, event.isCut ? event.endMs : frame.endMs));
      signals.push(this.#toSignal(streamId, ear, event));
    }
  }

  #earOf(streamId: string): Ear {
    const known = this.#ears.get(streamId);
    if (known) return known;
    const ear = { endpointer: createEndpointer(this.#settings), untilMs: -Infinity, heardAtMs: 0, stretchId: '' };
    setBounded(this.#ears, streamId, ear, MAX_STREAMS);
    return ear;
  }

  /** Ends the speech of streams that deliver nothing, unless it may go on when they come back; adds what comes of it. */
  #closeStalled(signals: Signal[]): readonly Signal[] {
    for (const [streamId, ear] of this.#ears) {
      const silentMs = this.#clockMs - ear.heardAtMs;
      if (silentMs < this.#settings.gapMs + STALL_MS) continue;
      const reason = this.#streams.get(streamId)?.interruptedBy;
      const isHeld = reason !== undefined && !WITHOUT_RETURN.has(reason) && silentMs < HOLD_MS;
      if (!isHeld) signals.push(...this.#close(streamId));
    }
    return signals;
  }

  /** What is being said waits from now on. */
  #hold(streamId: string): void {
    const ear = this.#ears.get(streamId);
    if (ear?.endpointer.isOpen()) ear.heardAtMs = this.#clockMs;
  }

  #end(closed: StreamClosed): readonly Signal[] {
    const { streamId } = closed;
    const isAudio = this.#streams.get(streamId)?.kind === 'audio';
    const signals = [...this.#close(streamId), closed];
    this.#ears.delete(streamId);
    return isAudio ? [...signals, this.#endpointed(streamId, Infinity)] : signals;
  }

  #close(streamId: string): readonly Signal[] {
    const ear = this.#ears.get(streamId);
    return ear ? ear.endpointer.end().map((event) => this.#toSignal(streamId, ear, event)) : [];
  }

  #abandon(streamId: string): readonly Signal[] {
    const ear = this.#ears.get(streamId);
    this.#ears.delete(streamId);
    return ear?.endpointer.isOpen() ? [this.#toSignal(streamId, ear, { type: 'dropped' })] : [];
  }

  #isDiarized(streamId: string): boolean {
    return this.#streams.get(streamId)?.isDiarized === true;
  }

  #toSignal(streamId: string, ear: Ear, event: EndpointEvent): Signal {
    if (event.type === 'opened') ear.stretchId = `v${++this.#stretches}`;
    const at = { arrivalMs: this.#clockMs, streamId, stretchId: ear.stretchId };
    if (event.type === 'opened') return { type: 'speechOpened', ...at, startMs: event.startMs };
    if (event.type === 'dropped') return { type: 'speechDropped', ...at };
    return { type: 'speechClosed', ...at, startMs: event.startMs, endMs: event.endMs };
  }

  #endpointed(streamId: string, untilMs: number): Signal {
    return { type: 'endpointed', arrivalMs: this.#clockMs, streamId, untilMs };
  }
}
