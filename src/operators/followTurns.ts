import type { OperatorFunction } from 'rxjs';
import type { SpeakerTurn } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { pushBounded, setBounded } from './bounded.ts';
import { checkEndpointing, quietestMs, type EndpointingSettings, type Frame } from './endpointer.ts';
import type { Signal } from './signal.ts';
import type { Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams } from './streams.ts';

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
  return stage(() => createFollower(settings, hasTurns));
}

function createFollower(settings: EndpointingSettings, hasTurns: boolean): Required<Stage<Signal, Signal>> {
  const streams = createStreams(hasTurns);
  const diarized = new Map<string, Diarized>();
  let turns = 0;
  let clockMs = 0;

  const stateOf = (streamId: string): Diarized => {
    const known = diarized.get(streamId);
    if (known) return known;
    const created: Diarized = { frames: [], open: new Map() };
    setBounded(diarized, streamId, created, MAX_STREAMS);
    return created;
  };
  const close = (streamId: string, turn: OpenTurn): Signal[] => {
    stateOf(streamId).open.delete(turn.speaker.id);
    const at = { arrivalMs: clockMs, streamId };
    const { speaker, stretchId } = turn;
    const pieces = cutTurn(turn, stateOf(streamId).frames, settings);
    if (pieces.length === 0) return [{ type: 'speechDropped', ...at, stretchId }];
    return pieces.map((piece, index) => {
      const isLast = index === pieces.length - 1;
      return { type: 'speechClosed', ...at, ...piece, speaker, ...(isLast && { stretchId }) };
    });
  };
  const closeWhere = (isOver: (turn: OpenTurn) => boolean): readonly Signal[] => {
    if (turns === 0) return NONE;
    return [...diarized].flatMap(([streamId, { open }]) =>
      [...open.values()]
        .filter(isOver)
        .sort((a, b) => a.endMs - b.endMs)
        .flatMap((turn) => close(streamId, turn)),
    );
  };
  const open = ({ streamId, speaker, startMs, endMs }: SpeakerTurn): Signal[] => {
    const { open: openTurns } = stateOf(streamId);
    const same = openTurns.get(speaker.id);
    if (same && startMs - same.endMs < settings.gapMs && same.startMs - endMs < settings.gapMs) {
      same.startMs = Math.min(same.startMs, startMs);
      same.endMs = Math.max(same.endMs, endMs);
      return [];
    }
    const oldest = openTurns.size >= MAX_OPEN_TURNS ? openTurns.values().next().value : undefined;
    const inTheWay = same ?? oldest;
    const closed = inTheWay ? close(streamId, inTheWay) : [];
    const stretchId = `t${++turns}`;
    openTurns.set(speaker.id, { speaker, stretchId, startMs, endMs });
    return [...closed, { type: 'speechOpened', arrivalMs: clockMs, streamId, stretchId, startMs }];
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      const isDiarized = 'streamId' in signal && streams.get(signal.streamId ?? '')?.isDiarized === true;
      if (signal.type === 'voice' && streams.get(signal.streamId)?.speaker === undefined) {
        remember(stateOf(signal.streamId).frames, signal);
      }
      if (signal.type === 'speakerTurn' && isDiarized && signal.endMs > signal.startMs) {
        return [...closeWhere((turn) => clockMs - turn.endMs >= settings.gapMs), signal, ...open(signal)];
      }
      if (signal.type === 'streamClosed' && isDiarized) {
        const closed = [...stateOf(signal.streamId).open.values()].flatMap((turn) => close(signal.streamId, turn));
        diarized.delete(signal.streamId);
        return [...closed, signal];
      }
      const closed = closeWhere((turn) => clockMs - turn.endMs >= settings.gapMs);
      return closed.length === 0 ? [signal] : [...closed, signal];
    },
    complete: () => closeWhere(() => true),
  };
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
