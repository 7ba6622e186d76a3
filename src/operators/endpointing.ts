import type { OperatorFunction } from 'rxjs';
import type { MissingReason } from '../domain/modality.ts';
import type { VoiceActivity } from '../domain/observation.ts';
import { setBounded } from './bounded.ts';
import { checkEndpointing, createEndpointer } from './endpointer.ts';
import type { EndpointEvent, Endpointer, EndpointingSettings } from './endpointer.ts';
import type { Signal } from './signal.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams } from './streams.ts';

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
  return stage(() => createEndpointing(settings, hasTurns));
}

function createEar(settings: EndpointingSettings): Ear {
  return { endpointer: createEndpointer(settings), untilMs: -Infinity, heardAtMs: 0, stretchId: '' };
}

function createEndpointing(settings: EndpointingSettings, hasTurns: boolean): Required<Stage<Signal, Signal>> {
  const streams = createStreams(hasTurns);
  const ears = new Map<string, Ear>();
  let stretches = 0;
  let clockMs = 0;

  const toSignal = (streamId: string, ear: Ear, event: EndpointEvent): Signal => {
    if (event.type === 'opened') ear.stretchId = `v${++stretches}`;
    const at = { arrivalMs: clockMs, streamId, stretchId: ear.stretchId };
    if (event.type === 'opened') return { type: 'speechOpened', ...at, startMs: event.startMs };
    if (event.type === 'dropped') return { type: 'speechDropped', ...at };
    return { type: 'speechClosed', ...at, startMs: event.startMs, endMs: event.endMs };
  };
  const endpointed = (streamId: string, untilMs: number): Signal => ({
    type: 'endpointed',
    arrivalMs: clockMs,
    streamId,
    untilMs,
  });

  const hear = (voice: VoiceActivity, signals: Signal[]): void => {
    const { streamId, speech, speechStartMs, frameMs } = voice;
    const ear = ears.get(streamId) ?? createEar(settings);
    if (!ears.has(streamId)) setBounded(ears, streamId, ear, MAX_STREAMS);
    ear.heardAtMs = clockMs;
    for (let index = 0; index < speech.length; index++) {
      const probability = speech[index] ?? 0;
      const startMs = speechStartMs + index * frameMs;
      const endMs = startMs + frameMs;
      if (startMs < ear.untilMs - frameMs / 2) continue;
      ear.untilMs = endMs;
      for (const event of ear.endpointer.next({ startMs, endMs, probability })) {
        if (event.type === 'closed') signals.push(endpointed(streamId, event.isCut ? event.endMs : endMs));
        signals.push(toSignal(streamId, ear, event));
      }
    }
    if (speech.length > 0) signals.push(endpointed(streamId, ear.untilMs));
  };

  const close = (streamId: string): Signal[] => {
    const ear = ears.get(streamId);
    return ear ? ear.endpointer.end().map((event) => toSignal(streamId, ear, event)) : [];
  };
  const closeStalled = (to: Signal[]): readonly Signal[] => {
    for (const [streamId, ear] of ears) {
      const silentMs = clockMs - ear.heardAtMs;
      if (silentMs < settings.gapMs + STALL_MS) continue;
      const reason = streams.get(streamId)?.interruptedBy;
      const isHeld = reason !== undefined && !WITHOUT_RETURN.has(reason) && silentMs < HOLD_MS;
      if (!isHeld) to.push(...close(streamId));
    }
    return to;
  };
  const abandon = (streamId: string): Signal[] => {
    const ear = ears.get(streamId);
    ears.delete(streamId);
    if (!ear?.endpointer.isOpen()) return [];
    return [toSignal(streamId, ear, { type: 'dropped' })];
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      if (signal.type === 'voice') {
        const signals: Signal[] = [signal];
        if (streams.get(signal.streamId)?.isDiarized !== true) hear(signal, signals);
        return closeStalled(signals);
      }
      if (signal.type === 'speakerTurn' && streams.get(signal.streamId)?.isDiarized) {
        return [...abandon(signal.streamId), signal];
      }
      if (signal.type === 'streamInterrupted' || signal.type === 'streamRestored') {
        const ear = ears.get(signal.streamId);
        if (ear?.endpointer.isOpen()) ear.heardAtMs = clockMs;
      }
      if (signal.type === 'streamClosed') {
        const isAudio = streams.get(signal.streamId)?.kind === 'audio';
        const closed = close(signal.streamId);
        ears.delete(signal.streamId);
        return [...closed, signal, ...(isAudio ? [endpointed(signal.streamId, Infinity)] : [])];
      }
      return closeStalled([signal]);
    },
    complete: () => [...ears.keys()].flatMap(close),
  };
}
