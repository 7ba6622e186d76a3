import type { MissingReason, Modality, SightlessReason } from '../domain/modality.ts';
import type { TimedWord } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { ErrorCode } from '../errors.ts';

/** The WebSocket subprotocol that both sides must name. */
export const SUBPROTOCOL = 'undertone.v1';
/** A token travels as a second subprotocol that begins so, since browsers can set no header (never in a URL). */
export const TOKEN_SUBPROTOCOL = 'undertone.token.';

/** What a session is for. Voice, face and body may not be analyzed at work and in education (EU AI Act, Art. 5(1)(f)). */
export const PURPOSES = [
  'personal',
  'customer_service',
  'telehealth',
  'coaching',
  'research',
  'entertainment',
  'workplace',
  'education',
  'other',
] as const;
/** One purpose of {@link PURPOSES}. */
export type Purpose = (typeof PURPOSES)[number];

/** Reasons for which the law lets emotions be inferred at work and in education all the same. */
export const EXCEPTIONS = ['medical', 'safety'] as const;
/** One exception of {@link EXCEPTIONS}. */
export type PurposeException = (typeof EXCEPTIONS)[number];

/** How sound is sent. `opus`: one Opus packet a frame, without a container; PCM is signed 16-bit little-endian. */
export const AUDIO_ENCODINGS = ['pcm16', 'mulaw', 'opus'] as const;
/** One encoding of {@link AUDIO_ENCODINGS}. */
export type AudioEncoding = (typeof AUDIO_ENCODINGS)[number];

/** Format of an audio stream: 8,000 to 48,000 Hz, one or two channels (interleaved; mixed down to one). */
export type AudioFormat = {
  readonly encoding: AudioEncoding;
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
};

/** Someone present, as the producer calls them. `consent`: what they agreed to have analyzed; absent: nobody asked. */
export type Participant = {
  /** The producer's id, unique among its participants. */
  readonly id: string;
  readonly name: string;
  /** Free, such as `agent`, `customer`, `patient`; the server's policy is by role. */
  readonly role?: string;
  readonly consent?: readonly Modality[];
};

/**
 * A stream that a producer will send. `number` stands in its media frames and is never used again for another stream of
 * the session. Without `participant` it carries everybody. `face` and `body` frames are rows of float32 (little-endian)
 * of docs/features.md; `video` frames are JPEG pictures; `captions` have no media frames but `transcript` messages.
 * `language`: BCP 47 tag of what is spoken, when known.
 */
export type StreamDeclaration = {
  readonly streamId: string;
  readonly number: number;
  readonly participant?: string;
} & (
  | { readonly kind: 'audio'; readonly format: AudioFormat; readonly language?: string }
  | { readonly kind: 'video' | 'face' | 'body' }
  | { readonly kind: 'captions'; readonly language?: string }
);

/** Whether a stream that is open is meant to deliver: a microphone that is muted, a camera that is switched off. */
export const STREAM_STATES = ['live', 'muted', 'camera_off'] as const;
/** One state of {@link STREAM_STATES}. */
export type StreamState = (typeof STREAM_STATES)[number];

/** First message of a producer. With `resume`, streams and participants are those of before, and those given are added. */
export type ProducerHello = {
  readonly type: 'hello';
  readonly v: 1;
  readonly session?: string;
  readonly purpose?: Purpose;
  readonly exception?: PurposeException;
  readonly participants: readonly Participant[];
  readonly streams: readonly StreamDeclaration[];
  readonly resume?: { readonly token: string; readonly epoch: number };
  /** Name and version of the client, for the operator's eyes. */
  readonly client?: string;
};

/** Words of a captions stream. `sequence` counts 0, 1, 2 … per stream as in media frames, so that nothing is said twice. */
export type TranscriptMessage = {
  readonly type: 'transcript';
  readonly streamId: string;
  readonly sequence: number;
  readonly isFinal: boolean;
  /** Times on the producer's media clock. */
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  /** Who speaks, when the stream is not that of one participant. */
  readonly participant?: string;
  readonly language?: string;
  readonly words?: readonly TimedWord[];
};

/** A picture gave no row of a face or body stream, and why. It has the number that the row would have had. */
export type SightlessMessage = {
  readonly type: 'sightless';
  readonly streamId: string;
  readonly sequence: number;
  /** When the picture was taken, on the producer's media clock. */
  readonly atMs: number;
  readonly reason: SightlessReason;
};

/** What a producer says. */
export type ProducerMessage =
  | ProducerHello
  | { readonly type: 'join'; readonly participant: Participant }
  | { readonly type: 'open'; readonly streams: readonly StreamDeclaration[] }
  | { readonly type: 'close'; readonly streamId: string }
  | { readonly type: 'state'; readonly streamId: string; readonly state: StreamState }
  | { readonly type: 'format'; readonly streamId: string; readonly format: AudioFormat }
  | TranscriptMessage
  | SightlessMessage
  | { readonly type: 'consent'; readonly participant: string; readonly modalities: readonly Modality[] }
  | { readonly type: 'name'; readonly participant: string; readonly name: string }
  /** Whoever a recognizer tells apart as `speaker` (S1, S2 …) is this participant. */
  | { readonly type: 'speaker'; readonly speaker: string; readonly participant: string }
  | { readonly type: 'ping'; readonly id: number }
  /** The call is over for this producer: what is on its way is used, and nothing more comes. */
  | { readonly type: 'bye' };

/**
 * First message of a consumer. `after`: the last `seq` it has; without it, from the beginning of the backlog. `epoch`: that of
 * the welcome before, so that `after` is not taken for a `seq` of another session of the same name.
 */
export type ConsumerHello = {
  readonly type: 'hello';
  readonly v: 1;
  readonly session?: string;
  readonly after?: number;
  readonly epoch?: number;
};

/** What a consumer says. */
export type ConsumerMessage = ConsumerHello | { readonly type: 'ping'; readonly id: number } | { readonly type: 'bye' };

/** How far a stream was used: the next sequence number that is wanted, and the media time up to which it was used. */
export type StreamPosition = { readonly streamId: string; readonly nextSequence: number; readonly mediaMs: number };

/** What may be analyzed of a participant, what may not and why, and as whom they appear in insights. */
export type ParticipantPolicy = {
  readonly participant: string;
  readonly speaker: Speaker;
  readonly modalities: readonly Modality[];
  readonly refused: readonly {
    readonly modality: Modality;
    readonly reason: Extract<MissingReason, 'consent' | 'privacy'>;
  }[];
  /** Their sound is heard for its words, though it may not be measured: send it. */
  readonly isHeardForWords?: true;
};

/** What a peer may do at most; beyond, `LIMIT_EXCEEDED` or `RATE_LIMITED`. */
export type LiveLimits = {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxStreams: number;
  readonly maxParticipants: number;
  readonly maxMessagesPerSecond: number;
  readonly maxBytesPerSecond: number;
  readonly maxSessionMs: number;
};

/** What is read from the pictures of video streams. Empty: they are let go unread. */
export type ReadFromPictures = readonly Extract<Modality, 'face' | 'body'>[];

/** The answer to a producer's `hello`. */
export type ProducerWelcome = {
  readonly type: 'welcome';
  readonly v: 1;
  readonly session: string;
  /** When the session began, in ms since 1970. It is another when the server knows nothing of what went before: all begins anew. */
  readonly epoch: number;
  readonly isResumed: boolean;
  /** For coming back after a drop; each `welcome` has a new one, and the one before is no longer good. */
  readonly resumeToken: string;
  readonly resumeWithinMs: number;
  /** Media that a client should keep to be able to send it again. */
  readonly ringMs: number;
  /** The connection is given up when nothing, not even a ping, came for three times so long. */
  readonly heartbeatMs: number;
  /** The session clock now, at media time 0 of a new producer. */
  readonly clockMs: number;
  readonly streams: readonly StreamPosition[];
  readonly participants: readonly ParticipantPolicy[];
  readonly limits: LiveLimits;
  readonly vision?: ReadFromPictures;
};

/** The answer to a consumer's `hello`. Insights follow as lines of the insight protocol. */
export type ConsumerWelcome = {
  readonly type: 'welcome';
  readonly v: 1;
  readonly session: string;
  readonly epoch: number;
  readonly heartbeatMs: number;
  /** The first `seq` that will come. */
  readonly nextSeq: number;
  readonly vision?: ReadFromPictures;
};

/** Something was refused. When `isFatal`, the connection is closed next, with the close code of the table of errors. */
export type ErrorMessage = {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly isFatal: boolean;
  readonly streamId?: string;
};

/** Insights that this consumer does not get: too old for the backlog, or replaced by later ones while it was slow. */
export type MissedMessage = {
  readonly type: 'missed';
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: 'backlog' | 'coalesced';
};

/** Why a session is over. */
export const END_REASONS = ['bye', 'deleted', 'length', 'abandoned', 'shutdown', 'failed'] as const;
/** One reason of {@link END_REASONS}. */
export type EndReason = (typeof END_REASONS)[number];

/** What the server tells both producers and consumers, beside `welcome`. */
export type CommonServerMessage =
  | ErrorMessage
  | { readonly type: 'pong'; readonly id: number; readonly clockMs: number }
  /** The connection will be closed: finish, or come back elsewhere. */
  | { readonly type: 'goaway'; readonly leftMs: number; readonly reason: 'shutdown' | 'length' }
  | { readonly type: 'ended'; readonly reason: EndReason };

/** What the server tells a producer. `ack` comes at least every second while media comes. */
export type ProducerServerMessage =
  | ProducerWelcome
  | CommonServerMessage
  | { readonly type: 'ack'; readonly streams: readonly StreamPosition[] }
  | { readonly type: 'policy'; readonly participants: readonly ParticipantPolicy[] };

/** What the server tells a consumer between the insights; insights have a `seq`, these have none. */
export type ConsumerServerMessage = ConsumerWelcome | CommonServerMessage | MissedMessage;
