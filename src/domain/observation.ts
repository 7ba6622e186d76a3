import type { MissingReason } from './modality.ts';
import type { Speaker } from './speaker.ts';

/**
 * What was seen or heard. Every observation carries `arrivalMs`, the session-clock time at which it reached us, beside
 * the event times of what it describes; a session is a sequence of observations in the order of `arrivalMs`, and final
 * insights follow from that sequence alone, never from how long anything took to compute. All times are milliseconds
 * on the session clock (0 = start of the recording or call).
 */
export type Observation =
  StreamOpened | StreamClosed | VoiceActivity | SpeakerTurn | Transcript | CameraActivity | FaultObserved;

/** A stream of a participant (or of everybody, mixed) exists from now on. */
export type StreamOpened = {
  readonly type: 'streamOpened';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly kind: 'audio' | 'video' | 'captions';
  /** Whose stream it is; absent when it carries several speakers (mixed audio, captions of a whole call). */
  readonly speaker?: Speaker;
};

/** A stream ended, and why. */
export type StreamClosed = {
  readonly type: 'streamClosed';
  readonly arrivalMs: number;
  readonly streamId: string;
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
};

/** Whether the picture of a video stream shows anything from now on. */
export type CameraActivity = {
  readonly type: 'camera';
  readonly arrivalMs: number;
  readonly streamId: string;
  readonly isOn: boolean;
};

/** Something went wrong outside; the session goes on. */
export type FaultObserved = {
  readonly type: 'fault';
  readonly arrivalMs: number;
  readonly streamId?: string;
  readonly code: string;
  readonly message: string;
};
