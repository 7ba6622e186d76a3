import type { ModelInput } from '../domain/conversationModel.ts';
import type { MissingReason, PrivacyMode } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Presence } from './presence.ts';
import type { Signal } from './signal.ts';
import { isSameSpeaker, type Stream, type Streams } from './streams.ts';
import { watchSpeech } from './watchSpeech.ts';
import { watchText, type TextWatchSettings } from './watchText.ts';

/** When voices and words count as absent. */
export type HearingWatchSettings = TextWatchSettings & {
  /** A stream without speech for this long (ms) is absent until speech returns. */
  readonly noSpeechMs: number;
};

/** What decides whether they can be present at all. */
export type HearingWatchOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly settings: HearingWatchSettings;
};

/** Follows whose voice and words are heard. */
export type HearingWatch = {
  /** Announces everybody's state at the start of the session, for the streams that are open. */
  start(clockMs: number): void;
  observe(signal: Signal, clockMs: number): void;
  /** A stream delivers nothing more, or nothing for now. */
  lose(stream: Stream, reason: MissingReason, clockMs: number): void;
  /** Counts what has waited too long for its text at `clockMs`. */
  advance(clockMs: number): void;
};

type Heard = 'audio' | 'text';
/** Which modality a kind of stream is heard as; the others are seen. */
const HEARD_AS: Readonly<Partial<Record<Stream['kind'], Heard>>> = { audio: 'audio', captions: 'text' };

/**
 * Returns a watch that tells `presence` of audio and text: absent for the whole session where weights or privacy rule them
 * out; else present with their streams, and absent, for what ended the last of a speaker's streams, for `no_speech` and for
 * `no_captions`. Files that cannot be decoded stay so.
 */
export function watchHearing(presence: Presence, streams: Streams, options: HearingWatchOptions): HearingWatch {
  const speech = watchSpeech(presence, options.settings.noSpeechMs);
  const text = watchText(presence, options.settings);
  const ruledOut = new Set<Heard>();

  const announce = (modality: Heard, open: readonly Stream[]): void => {
    const reason = ruledOutBy(modality, options);
    const isThere = open.some(({ kind }) => HEARD_AS[kind] === modality);
    if (reason) ruledOut.add(modality);
    if (reason) presence.absent(modality, undefined, reason);
    else if (!isThere) presence.absent(modality, undefined, modality === 'text' ? 'no_captions' : 'no_audio');
  };
  const open = ({ kind, streamId, speaker }: OpenedStream, clockMs: number): void => {
    const modality = HEARD_AS[kind];
    if (modality === undefined || ruledOut.has(modality)) return;
    if (modality === 'audio') speech.open(streamId, speaker, clockMs);
    else text.open();
    presence.present(modality, speaker);
  };
  const lose = (stream: Stream, reason: MissingReason, clockMs: number): void => {
    const modality = HEARD_AS[stream.kind];
    if (modality === undefined || ruledOut.has(modality)) return;
    if (presence.reasonOf(modality, stream.speaker) === 'decode_error') return;
    if (modality === 'audio') speech.close(stream.streamId, clockMs);
    if (!isServedByAnother(stream, streams)) presence.absent(modality, stream.speaker, reason);
  };
  const restore = (stream: Stream | undefined, clockMs: number): void => {
    if (stream?.kind === 'captions' && !ruledOut.has('text')) presence.present('text', stream.speaker);
    if (stream?.kind === 'audio' && !ruledOut.has('audio')) speech.restore(stream.streamId, clockMs);
  };

  return {
    start: (clockMs) => {
      const all = [...streams.all()].filter((stream) => stream.closedAtMs === undefined);
      announce('text', all);
      announce('audio', all);
      for (const stream of all) open(stream, clockMs);
      for (const stream of all) if (stream.interruptedBy !== undefined) lose(stream, stream.interruptedBy, clockMs);
    },
    observe: (signal, clockMs) => {
      if (signal.type === 'streamOpened') open(signal, clockMs);
      else if (signal.type === 'streamRestored') restore(streams.get(signal.streamId), clockMs);
      else if (signal.type === 'voice' && !ruledOut.has('audio')) {
        speech.hear(signal, streams.get(signal.streamId)?.speaker, clockMs);
      } else if (signal.type === 'utteranceMeasured') {
        if (signal.record.streamId !== null && !ruledOut.has('audio')) speech.speak(signal.record, clockMs);
        if (!ruledOut.has('text')) text.heard(signal, clockMs);
      }
    },
    lose,
    advance: (clockMs) => text.advance(clockMs),
  };
}

type OpenedStream = Pick<Stream, 'kind' | 'streamId' | 'speaker'>;

/** Why a modality is absent for the whole session, if it is. */
function ruledOutBy(modality: Heard, { inputs, privacy }: HearingWatchOptions): MissingReason | undefined {
  if (modality === 'text') return inputs.has('text') ? undefined : 'not_in_weights';
  if (privacy === 'text-only') return 'privacy';
  return inputs.has('prosody') || inputs.has('segments') ? undefined : 'not_in_weights';
}

/** Does another stream of the kind deliver the same speaker, or everybody as this one did? */
function isServedByAnother({ streamId, kind, speaker }: Stream, streams: Streams): boolean {
  return [...streams.all()].some(
    (other) =>
      other.streamId !== streamId &&
      other.kind === kind &&
      other.closedAtMs === undefined &&
      other.interruptedBy === undefined &&
      isSameOwner(other.speaker, speaker),
  );
}

function isSameOwner(a: Speaker | undefined, b: Speaker | undefined): boolean {
  return a === undefined || b === undefined ? a === b : isSameSpeaker(a, b);
}
