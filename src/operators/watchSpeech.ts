import type { VoiceActivity } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Presence } from './presence.ts';
import type { UtteranceRecord } from './signal.ts';

const MAX_STREAMS = 512;
/** Audio that flows again this long after it was lost is present again. */
const RECOVERY_MS = 2_000;

/** Follows whether speech is heard on each audio stream. */
export type SpeechWatch = {
  open(streamId: string, speaker: Speaker | undefined, clockMs: number): void;
  close(streamId: string, clockMs: number): void;
  /** The stream delivers again. */
  restore(streamId: string, clockMs: number): void;
  hear(voice: VoiceActivity, speaker: Speaker | undefined, clockMs: number): void;
  speak(record: UtteranceRecord, clockMs: number): void;
};

type Heard = { readonly speaker: Speaker | undefined; lastSpeechMs: number; lostAtMs: number | undefined };

/**
 * Returns a watch that tells `presence` of audio: absent for `no_speech` when a stream went on for `noSpeechMs` after
 * its last speech, present again with its next utterance; and present again 2 s after a loss, when it flows again.
 */
export function watchSpeech(presence: Presence, noSpeechMs: number): SpeechWatch {
  const heard = new Map<string, Heard>();
  const open = (streamId: string, speaker: Speaker | undefined, lastSpeechMs: number): Heard => {
    const stream = { speaker, lastSpeechMs, lostAtMs: undefined };
    setBounded(heard, streamId, stream, MAX_STREAMS);
    return stream;
  };
  return {
    open,
    close: (streamId, clockMs) => {
      const stream = heard.get(streamId);
      if (stream) stream.lostAtMs = clockMs;
    },
    restore: (streamId, clockMs) => {
      const stream = heard.get(streamId);
      if (stream?.lostAtMs === undefined) return;
      Object.assign(stream, { lostAtMs: undefined, lastSpeechMs: clockMs });
      presence.present('audio', stream.speaker);
    },
    hear: (voice, speaker, clockMs) => {
      const known = heard.get(voice.streamId);
      const stream = known ?? open(voice.streamId, speaker, voice.startMs);
      if (known === undefined) presence.present('audio', speaker);
      if (stream.lostAtMs !== undefined) {
        if (clockMs - stream.lostAtMs < RECOVERY_MS) return;
        stream.lostAtMs = undefined;
        stream.lastSpeechMs = clockMs;
        presence.present('audio', stream.speaker);
      }
      if (clockMs - stream.lastSpeechMs >= noSpeechMs) presence.absent('audio', stream.speaker, 'no_speech');
    },
    speak: ({ streamId }, clockMs) => {
      const stream = streamId === null ? undefined : heard.get(streamId);
      if (stream === undefined || stream.lostAtMs !== undefined) return;
      stream.lastSpeechMs = clockMs;
      presence.present('audio', stream.speaker);
    },
  };
}
