import type { MissingReason, Modality } from './modality.ts';
import type { Speaker } from './speaker.ts';

/**
 * What was seen or heard. Every observation carries `arrivalMs`, the session-clock time at which it reached us, beside
 * the event times of what it describes; a session is a sequence of observations in the order of `arrivalMs`, and final
 * insights follow from that sequence alone, never from how long anything took to compute. All times are milliseconds
 * on the session clock (0 = start of the recording or call).
 */
export type Observation =
  | StreamOpened
  | StreamClosed
  | StreamInterrupted
  | StreamRestored
  | MediaGap
  | VoiceActivity
  | SpeakerTurn
  | SpeakerNamed
  | InterimTranscript
  | Transcript
  | CameraActivity
  | VisualFrame
  | ConsentChanged
  | TimePassed
  | FaultObserved;

/** What a stream carries; `face` and `body` are sequences that somebody else extracted from pictures. */
export const STREAM_KINDS = ['audio', 'video', 'captions', 'face', 'body'] as const;
/** One kind of {@link STREAM_KINDS}. */
export type StreamKind = (typeof STREAM_KINDS)[number];

/** A stream of a participant (or of everybody, mixed) exists from now on. */
export type StreamOpened = {
  readonly type: 'streamOpened';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly kind: StreamKind;
  /** Whose stream it is; absent when it carries several speakers (mixed audio, captions of a whole call). */
  readonly speaker?: Speaker;
  /** Of audio: the rate that it had before it was resampled to 16 kHz, when known. */
  readonly sampleRateHz?: number;
  /** BCP 47 tag of what is spoken, when known. */
  readonly language?: string;
};

/** A stream ended, and why. */
export type StreamClosed = {
  readonly type: 'streamClosed';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly reason: MissingReason;
};

/** A stream is open and delivers nothing, or nothing that can be used, until it is restored. */
export type StreamInterrupted = {
  readonly type: 'streamInterrupted';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly reason: MissingReason;
};

/** A stream that was interrupted delivers again. */
export type StreamRestored = { readonly type: 'streamRestored'; readonly arrivalMs: number; readonly streamId: string };

/** Media of a stream from `startMs` to `endMs` never came and will not come any more. */
export type MediaGap = {
  readonly type: 'gap';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly reason: MissingReason;
};

/**
 * A block of audio of one stream and what the voice activity detector said of it.
 * `samples`: mono, 16 kHz, in [-1, 1], beginning at `startMs`. `speech`: one probability in [0, 1] per VAD frame of
 * `frameMs` (32 ms), beginning at `speechStartMs` (frames may straddle blocks).
 */
export type VoiceActivity = {
  readonly type: 'voice';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly startMs: number;
  readonly samples: Float32Array;
  readonly speech: Float32Array;
  readonly speechStartMs: number;
  readonly frameMs: number;
};

/** A diarizer (an RTTM file) says that `speaker` talks from `startMs` to `endMs` on the stream. */
export type SpeakerTurn = {
  readonly type: 'speakerTurn';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly endMs: number;
};

/** Whoever was known as `speakerId` (a diarizer's S1) is `speaker` from now on, and always was. */
export type SpeakerNamed = {
  readonly type: 'speakerNamed';
  readonly arrivalMs: number;
  readonly speakerId: string;
  readonly speaker: Speaker;
};

/** A word of a transcript with its times and, when the recognizer tells, its confidence in [0, 1]. */
export type TimedWord = {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
};

/** What a recognizer takes the current speech to be so far; the next one of the same stream, or a transcript, replaces it. */
export type InterimTranscript = {
  readonly type: 'interim';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly speaker?: Speaker;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
};

/** A final transcript: a caption cue or an ASR result. */
export type Transcript = {
  readonly type: 'transcript';
  readonly arrivalMs: number;
  readonly streamId: string;
  /** Absent when the transcript does not say who speaks. */
  readonly speaker?: Speaker;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** BCP 47 tag, when known. */
  readonly language?: string;
  /** The words of `text` in order, when the recognizer tells their times. */
  readonly words?: readonly TimedWord[];
};

/** Whether the picture of a video stream shows anything from now on. */
export type CameraActivity = {
  readonly type: 'camera';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly isOn: boolean;
};

/**
 * What an extractor, ours or the producer's, saw in one picture of a video, face or body stream. `row` has the columns of
 * docs/features.md (52 of a face, 28 of a body); without it nothing could be read, and `reason` says why.
 */
export type VisualFrame = {
  readonly type: 'visual';
  readonly arrivalMs: number;
  readonly streamId: string;
  /** Whose, when the stream shows several people. */
  readonly speaker?: Speaker;
  readonly modality: Extract<Modality, 'face' | 'body'>;
  /** When the picture was taken. */
  readonly atMs: number;
  readonly row?: Float32Array;
  readonly reason?: MissingReason;
};

/** Only `modalities` of the speaker may be analyzed from now on; what is kept of the others must be erased. */
export type ConsentChanged = {
  readonly type: 'consent';
  readonly arrivalMs: number;
  readonly speaker: Speaker;
  readonly modalities: readonly Modality[];
  /** Why the others may not: the participant (`consent`) or the policy of the session (`privacy`). */
  readonly reason: Extract<MissingReason, 'consent' | 'privacy'>;
};

/** Nothing arrived, and time went on: what waits for time to pass may act. */
export type TimePassed = { readonly type: 'time'; readonly arrivalMs: number };

/** Something went wrong outside; the session goes on. */
export type FaultObserved = {
  readonly type: 'fault';
  readonly arrivalMs: number;
  readonly streamId?: string;
  readonly code: string;
  readonly message: string;
};
