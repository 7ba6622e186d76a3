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
import { VISUAL, type Visual } from './sight.ts';
import { watchPictures, type PictureWatchSettings } from './watchPictures.ts';
import { watchSpeech } from './watchSpeech.ts';
import { watchText, type TextWatchSettings } from './watchText.ts';

/** When a modality counts as absent. Times in ms; defaults in {@link DEFAULT_MODALITY_WATCH}. */
export type ModalityWatchSettings = TextWatchSettings &
  PictureWatchSettings & {
    /** A stream without speech for this long is absent until speech returns. */
    readonly noSpeechMs: number;
  };

/** Silence after 60 s, no text after two utterances or 8 s of speech, cameras after 1 s, what pictures show after 0.6 s. */
export const DEFAULT_MODALITY_WATCH: ModalityWatchSettings = {
  noSpeechMs: 60_000,
  textGraceMs: 3_000,
  textlessUtterances: 2,
  textlessMs: 8_000,
  cameraHoldMs: 1_000,
  pictureHoldMs: 600,
};

/** What decides whether a modality can be present at all. */
export type ModalityWatchOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly hasTurns: boolean;
  /** What an extractor reads of video streams; nothing unless given. Streams of faces and bodies need none. */
  readonly extracts?: readonly Visual[];
  readonly settings: ModalityWatchSettings;
};

/**
 * Emits each signal, preceded by `modalityChanged` for every modality it made present or absent, one per change of state
 * or reason. With the first signal that is not about streams, all modalities are announced once (a face or a body that
 * somebody reads: with its first picture). An interrupted stream makes its modality absent at once, and what a speaker
 * does not consent to is absent until it is allowed.
 * Nothing is held back, so complete and error pass at once.
 * @throws RangeError when a setting is not positive.
 */
export function watchModalities(options: ModalityWatchOptions): OperatorFunction<Signal, Signal> {
  requirePositive(options.settings);
  return stage(() => createWatch(options));
}

function createWatch({
  inputs,
  privacy,
  hasTurns,
  extracts = [],
  settings,
}: ModalityWatchOptions): Stage<Signal, Signal> {
  const streams = createStreams(hasTurns);
  const presence = createPresence();
  const knows = new Set(VISUAL.filter((modality) => inputs.has(modality)));
  if (inputs.has('movement')) knows.add('body');
  const pictures = watchPictures(presence, { privacy, extracts: new Set(extracts), knows, settings });
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
    if (kind !== 'audio' && kind !== 'captions') return;
    const modality = kind === 'audio' ? 'audio' : 'text';
    if (isBlocked[modality]) return;
    if (kind === 'audio') speech.open(streamId, speaker, clockMs);
    else text.open();
    presence.present(modality, speaker);
  };
  const lose = (stream: Stream, reason: MissingReason): void => {
    if (stream.kind === 'video' && reason === 'decode_error') pictures.fail(stream.speaker);
    if (stream.kind !== 'audio' && stream.kind !== 'captions') return;
    const modality = stream.kind === 'audio' ? 'audio' : 'text';
    if (isBlocked[modality] || presence.reasonOf(modality, stream.speaker) === 'decode_error') return;
    if (stream.kind === 'audio') speech.close(stream.streamId, clockMs);
    const isServedByAnother = [...streams.all()].some(
      (other) =>
        other.streamId !== stream.streamId &&
        other.kind === stream.kind &&
        other.closedAtMs === undefined &&
        other.interruptedBy === undefined &&
        isSameOwner(other.speaker, stream.speaker),
    );
    if (!isServedByAnother) presence.absent(modality, stream.speaker, reason);
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
    for (const stream of all) if (stream.interruptedBy !== undefined) lose(stream, stream.interruptedBy);
    pictures.start(all, clockMs);
  };

  const close = ({ streamId, reason }: Pick<StreamClosed, 'streamId' | 'reason'>): void => {
    const stream = streams.get(streamId);
    if (stream) lose(stream, reason);
  };

  const restore = (stream: Stream | undefined): void => {
    if (stream?.kind === 'captions' && !isBlocked.text) presence.present('text', stream.speaker);
    if (stream?.kind === 'audio' && !isBlocked.audio) speech.restore(stream.streamId, clockMs);
  };

  const take = (signal: Signal): void => {
    if (signal.type === 'streamOpened') open(signal);
    else if (signal.type === 'streamClosed' || signal.type === 'streamInterrupted') close(signal);
    else if (signal.type === 'streamRestored') restore(streams.get(signal.streamId));
    else if (signal.type === 'fault' && signal.code === 'DECODE_ERROR' && signal.streamId !== undefined) {
      close({ streamId: signal.streamId, reason: 'decode_error' });
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
      pictures.observe(signal);
      if (signal.type === 'consent') presence.allow(signal.speaker, signal.modalities, signal.reason);
      if (!hasStarted && !ABOUT_STREAMS.has(signal.type)) start();
      if (!hasStarted) return [signal];
      take(signal);
      text.advance(clockMs);
      pictures.advance(clockMs);
      const changes = presence.drain();
      return changes.length === 0 ? [signal] : [...changes.map((change) => toSignal(change, clockMs)), signal];
    },
  };
}

const ABOUT_STREAMS: ReadonlySet<Signal['type']> = new Set([
  'streamOpened',
  'streamClosed',
  'streamInterrupted',
  'streamRestored',
  'camera',
  'consent',
]);

function isSameOwner(a: Speaker | undefined, b: Speaker | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameSpeaker(a, b);
}

function toSignal(change: Omit<ModalityChanged, 'type' | 'arrivalMs'>, arrivalMs: number): ModalityChanged {
  return { type: 'modalityChanged', arrivalMs, ...change };
}
