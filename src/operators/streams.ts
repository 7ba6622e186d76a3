import type { MissingReason } from '../domain/modality.ts';
import type { StreamKind } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Signal } from './signal.ts';

const MAX_STREAMS = 512;

/** What is known of a stream. Several speakers share it when `speaker` is absent. */
export type Stream = {
  readonly streamId: string;
  readonly kind: StreamKind;
  readonly speaker?: Speaker;
  /** A diarizer's turns, not voice activity, say who talks when. */
  readonly isDiarized: boolean;
  readonly closedAtMs?: number;
  /** Why it delivers nothing at the moment, though it is open. */
  readonly interruptedBy?: MissingReason;
};

/** The streams of a session, at most 512: the ones opened first are forgotten. */
export type Streams = {
  /** Takes note of streams that open, close, are interrupted and restored, and of the first turn of a diarizer. */
  observe(signal: Signal): void;
  get(streamId: string): Stream | undefined;
  all(): Iterable<Stream>;
  /** The audio streams that may carry `speaker`: their own; without one the mixed ones; without a speaker all. */
  audioOf(speaker: Speaker | undefined): readonly Stream[];
};

/**
 * Do two sources mean the same speaker? Ids or names agree, upper and lower case alike: a captions file and a track
 * are two sources that can only be brought together by name.
 */
export function isSameSpeaker(a: Speaker, b: Speaker): boolean {
  return a.id === b.id || a.name.trim().toLowerCase() === b.name.trim().toLowerCase();
}

/**
 * Returns an empty register of streams.
 * @param hasTurns A diarizer's turns are expected for every mixed audio stream, from its beginning.
 */
export function createStreams(hasTurns: boolean): Streams {
  const streams = new Map<string, Stream>();
  const update = (stream: Stream): void => {
    if (streams.has(stream.streamId)) streams.set(stream.streamId, stream);
    else setBounded(streams, stream.streamId, stream, MAX_STREAMS);
  };
  const mixedAudio = (streamId: string): Stream => ({ streamId, kind: 'audio', isDiarized: hasTurns });
  return {
    observe: (signal) => {
      if (signal.type === 'streamOpened') {
        const { streamId, kind, speaker } = signal;
        const isDiarized = kind === 'audio' && speaker === undefined && hasTurns;
        update({ streamId, kind, isDiarized, ...(speaker && { speaker }) });
      } else if (signal.type === 'streamClosed') {
        const stream = streams.get(signal.streamId);
        if (stream) update({ ...stream, closedAtMs: signal.arrivalMs });
      } else if (signal.type === 'streamInterrupted') {
        const stream = streams.get(signal.streamId);
        if (stream) update({ ...stream, interruptedBy: signal.reason });
      } else if (signal.type === 'streamRestored') {
        const stream = streams.get(signal.streamId);
        if (stream) update(restored(stream));
      } else if (signal.type === 'voice' && !streams.has(signal.streamId)) {
        update(mixedAudio(signal.streamId));
      } else if (signal.type === 'speakerTurn') {
        const stream = streams.get(signal.streamId) ?? mixedAudio(signal.streamId);
        if (stream.speaker === undefined && stream.kind === 'audio') update({ ...stream, isDiarized: true });
      }
    },
    get: (streamId) => streams.get(streamId),
    all: () => streams.values(),
    audioOf: (speaker) => {
      const audio = [...streams.values()].filter((stream) => stream.kind === 'audio');
      if (speaker === undefined) return audio;
      const own = audio.filter((stream) => stream.speaker && isSameSpeaker(stream.speaker, speaker));
      return own.length > 0 ? own : audio.filter((stream) => stream.speaker === undefined);
    },
  };
}

function restored({ interruptedBy: _, ...stream }: Stream): Stream {
  return stream;
}
