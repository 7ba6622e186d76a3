import type { MissingReason, PrivacyMode } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import { createCameras } from './cameras.ts';
import type { Presence } from './presence.ts';
import type { Signal } from './signal.ts';
import type { Stream } from './streams.ts';

const MAX_SPEAKERS = 512;
/** Stands for those who are seen by a camera that shows everybody, or by none. */
const EVERYBODY: Speaker = { id: '', name: '', source: 'unknown' };

/** Follows who can be seen. */
export type CameraWatch = {
  observe(signal: Signal): void;
  /** Announces everybody's state at the start of the session, for the streams that are open. */
  start(streams: readonly Stream[], clockMs: number): void;
  /** The pictures of `speaker` cannot be decoded. */
  fail(speaker: Speaker | undefined): void;
  /** Announces the states that have lasted long enough at `clockMs`. */
  advance(clockMs: number): void;
};

type Watched = { readonly speaker: Speaker; isOn: boolean; said: boolean; sinceMs: number };

/**
 * Returns a watch that tells `presence` of face and body: absent for `privacy`, for `no_video` while the camera is off
 * or missing, else for `no_extractor`. A change counts when it has lasted `holdMs`.
 */
export function watchCameras(presence: Presence, privacy: PrivacyMode, holdMs: number): CameraWatch {
  const cameras = createCameras();
  const watched = new Map<string, Watched>();
  const isOn = (speaker: Speaker, atMs: number): boolean => cameras.isOn(speaker, { startMs: atMs, endMs: atMs });

  const lacks = (speaker: Speaker, reason: MissingReason): void => {
    const whose = speaker === EVERYBODY ? undefined : speaker;
    if (privacy === 'none') presence.absent('face', whose, reason);
    presence.absent('body', whose, reason);
  };
  const say = ({ speaker, said }: Watched): void => lacks(speaker, said ? 'no_extractor' : 'no_video');
  const watch = (speaker: Speaker, clockMs: number): void => {
    if (watched.has(speaker.id)) return;
    const on = isOn(speaker, clockMs);
    const state = { speaker, isOn: on, said: on, sinceMs: clockMs };
    setBounded(watched, speaker.id, state, MAX_SPEAKERS);
    say(state);
  };
  let hasStarted = false;

  return {
    observe: (signal) => {
      cameras.observe(signal);
      if (signal.type !== 'streamOpened' || !hasStarted || privacy === 'text-only') return;
      const isSeenAlone = signal.kind === 'video' || !watched.has(EVERYBODY.id);
      if (isSeenAlone) watch(signal.speaker ?? EVERYBODY, signal.arrivalMs);
    },
    start: (streams, clockMs) => {
      hasStarted = true;
      if (privacy !== 'none') presence.absent('face', undefined, 'privacy');
      if (privacy === 'text-only') presence.absent('body', undefined, 'privacy');
      if (privacy === 'text-only') return;
      const hasOwnVideo = streams.some((stream) => stream.kind === 'video' && stream.speaker);
      if (!hasOwnVideo) watch(EVERYBODY, clockMs);
      else for (const { speaker } of streams) if (speaker) watch(speaker, clockMs);
    },
    fail: (speaker) => lacks(speaker ?? EVERYBODY, 'decode_error'),
    advance: (clockMs) => {
      for (const state of watched.values()) {
        const on = isOn(state.speaker, clockMs);
        if (on !== state.isOn) {
          state.isOn = on;
          state.sinceMs = clockMs;
        }
        if (on === state.said || clockMs - state.sinceMs < holdMs) continue;
        state.said = on;
        say(state);
      }
    },
  };
}
