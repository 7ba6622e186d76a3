import type { OperatorFunction } from 'rxjs';
import type { ModelInput } from '../domain/conversationModel.ts';
import type { MissingReason, PrivacyMode } from '../domain/modality.ts';
import { requirePositive } from './bounded.ts';
import { createPresence } from './presence.ts';
import { VISUAL, type Visual } from './sight.ts';
import type { ModalityChanged, Signal } from './signal.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams } from './streams.ts';
import { watchHearing, type HearingWatchSettings } from './watchHearing.ts';
import { watchPictures, type PictureWatchSettings } from './watchPictures.ts';

/** When a modality counts as absent. Times in ms; defaults in {@link DEFAULT_MODALITY_WATCH}. */
export type ModalityWatchSettings = HearingWatchSettings & PictureWatchSettings;

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
  const hearing = watchHearing(presence, streams, { inputs, privacy, settings });
  let hasStarted = false;
  let clockMs = 0;

  const start = (): void => {
    hasStarted = true;
    hearing.start(clockMs);
    const open = [...streams.all()].filter((stream) => stream.closedAtMs === undefined);
    pictures.start(open, clockMs);
  };
  const lose = (streamId: string | undefined, reason: MissingReason): void => {
    const stream = streamId === undefined ? undefined : streams.get(streamId);
    if (!stream) return;
    if (stream.kind === 'video' && reason === 'decode_error') pictures.fail(stream.speaker);
    hearing.lose(stream, reason, clockMs);
  };
  const take = (signal: Signal): void => {
    hearing.observe(signal, clockMs);
    if (signal.type === 'streamClosed' || signal.type === 'streamInterrupted') lose(signal.streamId, signal.reason);
    else if (signal.type === 'fault' && signal.code === 'DECODE_ERROR') lose(signal.streamId, 'decode_error');
    hearing.advance(clockMs);
    pictures.advance(clockMs);
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

function toSignal(change: Omit<ModalityChanged, 'type' | 'arrivalMs'>, arrivalMs: number): ModalityChanged {
  return { type: 'modalityChanged', arrivalMs, ...change };
}
