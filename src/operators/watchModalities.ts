import type { OperatorFunction } from 'rxjs';
import type { ModelInput } from '../domain/conversationModel.ts';
import type { MissingReason, PrivacyMode } from '../domain/modality.ts';
import type { StreamClosed, StreamOpened } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { requirePositive } from './bounded.ts';
import { createPresence } from './presence.ts';
import type { ModalityChanged, Signal } from './signal.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker, type Stream } from './streams.ts';
import { watchCameras } from './watchCameras.ts';
import { watchSpeech } from './watchSpeech.ts';
import { watchText, type TextWatchSettings } from './watchText.ts';

/** When a modality counts as absent. Times in ms; defaults in {@link DEFAULT_MODALITY_WATCH}. */
export type ModalityWatchSettings = TextWatchSettings & {
  /** A stream without speech for this long is absent until speech returns. */
  readonly noSpeechMs: number;
  /** A camera must stay off or on this long to count. */
  readonly cameraHoldMs: number;
};

/** Silence after 60 s, no text after two utterances or 8 s of speech, cameras after 1 s. */
export const DEFAULT_MODALITY_WATCH: ModalityWatchSettings = {
  noSpeechMs: 60_000,
  textGraceMs: 3_000,
  textlessUtterances: 2,
  textlessMs: 8_000,
  cameraHoldMs: 1_000,
};

/** What decides whether a modality can be present at all. */
export type ModalityWatchOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly hasTurns: boolean;
  readonly settings: ModalityWatchSettings;
};

/**
 * Emits each signal, preceded by `modalityChanged` for every modality it made present or absent, one per change of state
 * or reason. With the first signal that is not about streams, all modalities are announced once. No vision is installed,
 * so face and body are absent: `no_video` while a camera is off or missing, else `no_extractor`.
 * Nothing is held back, so complete and error pass at once.
 * @throws RangeError when a setting is not positive.
 */
export function watchModalities(options: ModalityWatchOptions): OperatorFunction<Signal, Signal> {
  requirePositive(options.settings);
  return stage(() => createWatch(options));
}

function createWatch({ inputs, privacy, hasTurns, settings }: ModalityWatchOptions): Stage<Signal, Signal> {
  const streams = createStreams(hasTurns);
  const presence = createPresence();
  const cameras = watchCameras(presence, privacy, settings.cameraHoldMs);
  const speech = watchSpeech(presence, settings.noSpeechMs);
  const text = watchText(presence, settings);
  const isBlocked = { audio: false, text: false };
  let hasStarted = false;
  let clockMs = 0;

  const block = (modality: 'audio' | 'text', reason: MissingReason): void => {
    isBlocked[modality] = true;
    presence.absent(modality, undefined, reason);
  };
  const open = ({ kind, streamId, speaker }: Pick<StreamOpened, 'kind' | 'streamId' | 'speaker'>): void => {
    if (kind === 'video') return;
    const modality = kind === 'audio' ? 'audio' : 'text';
    if (isBlocked[modality]) return;
    if (kind === 'audio') speech.open(streamId, speaker, clockMs);
    else text.open();
    presence.present(modality, speaker);
  };
  const start = (): void => {
    hasStarted = true;
    const all = [...streams.all()].filter((stream) => stream.closedAtMs === undefined);
    const hears = inputs.has('prosody') || inputs.has('segments');
    if (!inputs.has('text')) block('text', 'not_in_weights');
    else if (!all.some((stream) => stream.kind === 'captions')) presence.absent('text', undefined, 'no_captions');
    if (privacy === 'text-only') block('audio', 'privacy');
    else if (!hears) block('audio', 'not_in_weights');
    else if (!all.some((stream) => stream.kind === 'audio')) presence.absent('audio', undefined, 'no_audio');
    for (const stream of all) open(stream);
    cameras.start(all, clockMs);
  };

  const lose = (stream: Stream, reason: MissingReason): void => {
    if (stream.kind === 'video') {
      if (reason === 'decode_error') cameras.fail(stream.speaker);
      return;
    }
    const modality = stream.kind === 'audio' ? 'audio' : 'text';
    if (isBlocked[modality] || presence.reasonOf(modality, stream.speaker) === 'decode_error') return;
    if (stream.kind === 'audio') speech.close(stream.streamId, clockMs);
    const isServedByAnother = [...streams.all()].some(
      (other) =>
        other.streamId !== stream.streamId &&
        other.kind === stream.kind &&
        other.closedAtMs === undefined &&
        isSameOwner(other.speaker, stream.speaker),
    );
    if (!isServedByAnother) presence.absent(modality, stream.speaker, reason);
  };
  const close = ({ streamId, reason }: StreamClosed): void => {
    const stream = streams.get(streamId);
    if (stream) lose(stream, reason);
  };

  const take = (signal: Signal): void => {
    if (signal.type === 'streamOpened') open(signal);
    else if (signal.type === 'streamClosed') close(signal);
    else if (signal.type === 'fault' && signal.code === 'DECODE_ERROR' && signal.streamId !== undefined) {
      close({ ...signal, type: 'streamClosed', streamId: signal.streamId, reason: 'decode_error' });
    } else if (signal.type === 'voice' && !isBlocked.audio) {
      speech.hear(signal, streams.get(signal.streamId)?.speaker, clockMs);
    } else if (signal.type === 'utteranceMeasured') {
      if (signal.record.streamId !== null && !isBlocked.audio) speech.speak(signal.record, clockMs);
      if (!isBlocked.text) text.heard(signal, clockMs);
    }
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      cameras.observe(signal);
      if (!hasStarted && !isAboutStreams(signal)) start();
      if (!hasStarted) return [signal];
      take(signal);
      text.advance(clockMs);
      cameras.advance(clockMs);
      return [...presence.drain().map((change) => toSignal(change, clockMs)), signal];
    },
  };
}

function isAboutStreams({ type }: Signal): boolean {
  return type === 'streamOpened' || type === 'streamClosed' || type === 'camera';
}

function isSameOwner(a: Speaker | undefined, b: Speaker | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameSpeaker(a, b);
}

function toSignal(change: Omit<ModalityChanged, 'type' | 'arrivalMs'>, arrivalMs: number): ModalityChanged {
  return { type: 'modalityChanged', arrivalMs, ...change };
}
