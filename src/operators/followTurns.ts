import type { OperatorFunction } from 'rxjs';
import type { SpeakerTurn, StreamClosed } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { pushBounded, setBounded } from './bounded.ts';
import { checkEndpointing, quietestMs, type EndpointingSettings, type Frame } from './endpointer.ts';
import type { Signal } from './signal.ts';
import type { Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, type Streams } from './streams.ts';

/** How far back voice frames are kept to cut long turns in a pause: 2 minutes of 32 ms frames. */
const MAX_FRAMES = 3_750;
const MAX_STREAMS = 64;
const MAX_OPEN_TURNS = 64;
const NONE: readonly Signal[] = [];

type OpenTurn = { readonly speaker: Speaker; readonly stretchId: string; startMs: number; endMs: number };
type Diarized = { readonly frames: Frame[]; readonly open: Map<string, OpenTurn> };

/**
 * Emits each signal and, on mixed audio streams for which a diarizer reports turns, one stretch of speech per speaker
 * and turn. A turn arrives when it is over; turns of one speaker less than `gapMs` apart are one stretch, so it closes
 * when the session clock is `gapMs` past its end. Turns shorter than `minSpeechMs` are dropped, longer ones than `maxMs`
 * are cut at the quietest voice frame. Speakers may overlap; both are kept. Turns of a stream that has one speaker are
 * ignored. A closing stream and the end of the session close what is open; on error it is dropped.
 * @throws RangeError when a setting breaks its rule.
 */
export function followTurns(settings: EndpointingSettings, hasTurns: boolean): OperatorFunction<Signal, Signal> {
  checkEndpointing(settings);
  return stage(() => new Follower(settings, hasTurns));
}

/** Holds the turns that may still grow, and the voice frames where they may be cut. */
class Follower implements Required<Stage<Signal, Signal>> {
  readonly #settings: EndpointingSettings;
  readonly #streams: Streams;
  readonly #diarized = new Map<string, Diarized>();
  #turns = 0;
  #clockMs = 0;

  constructor(settings: EndpointingSettings, hasTurns: boolean) {
    this.#settings = settings;
    this.#streams = createStreams(hasTurns);
  }

  next(signal: Signal): readonly Signal[] {
    this.#clockMs = Math.max(this.#clockMs, signal.arrivalMs);
    this.#streams.observe(signal);
    const isDiarized = 'streamId' in signal && this.#streams.get(signal.streamId ?? '')?.isDiarized === true;
    if (signal.type === 'voice' && this.#streams.get(signal.streamId)?.speaker === undefined)
      remember(this.#stateOf(signal.streamId).frames, signal);
    if (signal.type === 'streamClosed' && isDiarized) return this.#end(signal);
    const closed = this.#closeWhere((turn) => this.#clockMs - turn.endMs >= this.#settings.gapMs);
    if (signal.type === 'speakerTurn' && isDiarized && signal.endMs > signal.startMs)
      return [...closed, signal, ...this.#open(signal)];
    return closed.length === 0 ? [signal] : [...closed, signal];
  }

  complete(): readonly Signal[] {
    return this.#closeWhere(() => true);
  }

  #stateOf(streamId: string): Diarized {
    const known = this.#diarized.get(streamId);
    if (known) return known;
    const created: Diarized = { frames: [], open: new Map() };
    setBounded(this.#diarized, streamId, created, MAX_STREAMS);
    return created;
  }

  /** A turn goes on with what its speaker said just before, or begins a stretch of its own. */
  #open({ streamId, speaker, startMs, endMs }: SpeakerTurn): readonly Signal[] {
    const { open } = this.#stateOf(streamId);
    const same = open.get(speaker.id);
    if (same && isNear(same, { startMs, endMs }, this.#settings.gapMs)) {
      same.startMs = Math.min(same.startMs, startMs);
      same.endMs = Math.max(same.endMs, endMs);
      return NONE;
    }
    const oldest = open.size >= MAX_OPEN_TURNS ? open.values().next().value : undefined;
    const inTheWay = same ?? oldest;
    const closed = inTheWay ? this.#close(streamId, inTheWay) : NONE;
    const stretchId = `t${++this.#turns}`;
    open.set(speaker.id, { speaker, stretchId, startMs, endMs });
    return [...closed, { type: 'speechOpened', arrivalMs: this.#clockMs, streamId, stretchId, startMs }];
  }

  #end(closing: StreamClosed): readonly Signal[] {
    const { streamId } = closing;
    const closed = [...this.#stateOf(streamId).open.values()].flatMap((turn) => this.#close(streamId, turn));
    this.#diarized.delete(streamId);
    return [...closed, closing];
  }

  #closeWhere(isOver: (turn: OpenTurn) => boolean): readonly Signal[] {
    if (this.#turns === 0) return NONE;
    return [...this.#diarized].flatMap(([streamId, { open }]) =>
      [...open.values()]
        .filter(isOver)
        .sort((a, b) => a.endMs - b.endMs)
        .flatMap((turn) => this.#close(streamId, turn)),
    );
  }

  #close(streamId: string, turn: OpenTurn): readonly Signal[] {
    const { frames, open } = this.#stateOf(streamId);
    open.delete(turn.speaker.id);
    const at = { arrivalMs: this.#clockMs, streamId };
    const { speaker, stretchId } = turn;
    const pieces = cutTurn(turn, frames, this.#settings);
    if (pieces.length === 0) return [{ type: 'speechDropped', ...at, stretchId }];
    return pieces.map((piece, index) => {
      const isLast = index === pieces.length - 1;
      return { type: 'speechClosed', ...at, ...piece, speaker, ...(isLast && { stretchId }) };
    });
  }
}

function isNear(a: Span, b: Span, gapMs: number): boolean {
  return b.startMs - a.endMs < gapMs && a.startMs - b.endMs < gapMs;
}

function remember(frames: Frame[], voice: Extract<Signal, { type: 'voice' }>): void {
  for (const [index, probability] of voice.speech.entries()) {
    const startMs = voice.speechStartMs + index * voice.frameMs;
    pushBounded(frames, { startMs, endMs: startMs + voice.frameMs, probability }, MAX_FRAMES);
  }
}

/** The pieces of a turn no longer than `maxMs`; none when the turn is shorter than `minSpeechMs`. */
function cutTurn(turn: OpenTurn, frames: readonly Frame[], settings: EndpointingSettings): readonly Span[] {
  const pieces: Span[] = [];
  let startMs = turn.startMs;
  while (turn.endMs - startMs > settings.maxMs) {
    const cutMs = quietestMs(frames, startMs, settings);
    pieces.push({ startMs, endMs: cutMs });
    startMs = cutMs;
  }
  if (turn.endMs - startMs >= settings.minSpeechMs) pieces.push({ startMs, endMs: turn.endMs });
  return pieces;
}
