import type { PrivacyMode } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Presence } from './presence.ts';
import type { Signal } from './signal.ts';
import { createSight, type SightState, VISUAL, type Visual } from './sight.ts';
import type { Stream } from './streams.ts';

const MAX_SPEAKERS = 512;
/** Stands for those who are seen by a camera that shows everybody, or by none. */
const EVERYBODY: Speaker = { id: '', name: '', source: 'unknown' };

/** When a change of what pictures show counts. Times in ms. */
export type PictureWatchSettings = {
  /** A camera must stay off or on this long to count. */
  readonly cameraHoldMs: number;
  /** What is seen of a face or a body, or why nothing is, must stay the same this long to count. */
  readonly pictureHoldMs: number;
};

/** What decides which pictures can be read. */
export type PictureWatchOptions = {
  readonly privacy: PrivacyMode;
  /** What an extractor of ours reads of the pictures of video streams. */
  readonly extracts: ReadonlySet<Visual>;
  /** What the weights were trained with. */
  readonly knows: ReadonlySet<Visual>;
  readonly settings: PictureWatchSettings;
};

/** Follows whose face and body can be read. */
export type PictureWatch = {
  observe(signal: Signal): void;
  /** Announces everybody's state at the start of the session, for the streams that are open. */
  start(streams: readonly Stream[], clockMs: number): void;
  /** The pictures of `speaker` cannot be decoded. */
  fail(speaker: Speaker | undefined): void;
  /** Announces the states that have lasted long enough at `clockMs`. */
  advance(clockMs: number): void;
};

type Watched = {
  readonly speaker: Speaker;
  readonly modality: Visual;
  now: SightState;
  said: SightState;
  sinceMs: number;
};

/**
 * Returns a watch that tells `presence` of face and body: absent for `privacy`; for `no_video` while the camera is off or
 * missing; for what interrupted all streams that show them, at once; for `no_extractor` where nothing reads pictures; else
 * for what the latest picture lacks; present when it lacks nothing and the weights know the modality. All but
 * interruptions count when they have lasted.
 */
export function watchPictures(presence: Presence, options: PictureWatchOptions): PictureWatch {
  const { privacy, settings } = options;
  const sight = createSight(options.extracts);
  const watched = new Map<string, Watched>();
  const modalities = VISUAL.filter((modality) => modality === 'body' || privacy === 'none');
  let hasStarted = false;
  /** Until then nothing changes, unless a signal makes it. */
  let quietUntilMs = -Infinity;

  const say = ({ speaker, modality, said }: Watched): void => {
    const whose = speaker === EVERYBODY ? undefined : speaker;
    if (said.source === 'nothing') return;
    const reason = said.reason ?? (options.knows.has(modality) ? undefined : 'not_in_weights');
    if (reason === undefined) presence.present(modality, whose);
    else presence.absent(modality, whose, reason);
  };
  const watch = (speaker: Speaker, clockMs: number): void => {
    for (const modality of modalities) {
      if (watched.has(keyOf(modality, speaker))) continue;
      const now = sight.stateOf(modality, speaker, clockMs);
      const state = { speaker, modality, now, said: now, sinceMs: clockMs };
      setBounded(watched, keyOf(modality, speaker), state, VISUAL.length * MAX_SPEAKERS);
      quietUntilMs = -Infinity;
      say(state);
    }
  };

  return {
    observe: (signal) => {
      if (sight.observe(signal)) quietUntilMs = -Infinity;
      if (!hasStarted || privacy === 'text-only') return;
      if (signal.type === 'visual' && signal.speaker) watch(signal.speaker, signal.arrivalMs);
      if (signal.type !== 'streamOpened') return;
      const isSeenAlone = isVisual(signal) || !watched.has(keyOf('body', EVERYBODY));
      if (isSeenAlone) watch(signal.speaker ?? EVERYBODY, signal.arrivalMs);
    },
    start: (streams, clockMs) => {
      hasStarted = true;
      if (privacy !== 'none') presence.absent('face', undefined, 'privacy');
      if (privacy === 'text-only') presence.absent('body', undefined, 'privacy');
      if (privacy === 'text-only') return;
      const hasOwn = streams.some((stream) => isVisual(stream) && stream.speaker);
      if (!hasOwn) watch(EVERYBODY, clockMs);
      else for (const { speaker } of streams) if (speaker) watch(speaker, clockMs);
    },
    fail: (speaker) => {
      for (const modality of modalities) presence.absent(modality, speaker, 'decode_error');
    },
    advance: (clockMs) => {
      if (clockMs < quietUntilMs) return;
      quietUntilMs = sight.nextStaleMs(clockMs);
      for (const state of watched.values()) {
        const now = sight.stateOf(state.modality, state.speaker, clockMs);
        if (!isSame(now, state.now)) Object.assign(state, { now, sinceMs: clockMs });
        if (isSame(now, state.said) || now.source === 'nothing') continue;
        const heldUntilMs = state.sinceMs + holdMs(state.said, now, settings);
        if (clockMs >= heldUntilMs) {
          state.said = now;
          say(state);
        } else quietUntilMs = Math.min(quietUntilMs, heldUntilMs);
      }
    },
  };
}

/** What comes from the stream, or is the first thing to be said, counts at once; cameras and pictures must last. */
function holdMs(said: SightState, now: SightState, settings: PictureWatchSettings): number {
  if (now.source === 'stream' || said.source === 'stream' || said.source === 'nothing') return 0;
  return now.source === 'picture' ? settings.pictureHoldMs : settings.cameraHoldMs;
}

function isSame(a: SightState, b: SightState): boolean {
  return a.source === b.source && a.reason === b.reason;
}

function isVisual({ kind }: Pick<Stream, 'kind'>): boolean {
  return kind === 'video' || kind === 'face' || kind === 'body';
}

function keyOf(modality: Visual, speaker: Speaker): string {
  return `${modality} ${speaker.id}`;
}
