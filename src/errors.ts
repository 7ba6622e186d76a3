/** Every error code. A code is API: it is never renamed, and callers match on it, never on text. */
export type ErrorCode =
  | 'BAD_OPTION'
  | 'BAD_CONFIG'
  | 'FILE_NOT_FOUND'
  | 'FILE_EMPTY'
  | 'NOT_MEDIA'
  | 'NO_AUDIO'
  | 'BAD_CHANNELS'
  | 'DECODE_ERROR'
  | 'FFMPEG_MISSING'
  | 'VAD_MISSING'
  | 'RECOGNIZER_MISSING'
  | 'RECOGNIZER_FAILED'
  | 'VISION_DOWN'
  | 'BAD_MODEL'
  | 'DOWNLOAD_FAILED'
  | 'BAD_CAPTIONS'
  | 'BAD_RTTM'
  | 'NO_BACKEND'
  | 'BAD_WEIGHTS'
  | 'BAD_STATE'
  | 'BAD_DATASET'
  | 'BAD_CHECKPOINT'
  | 'OUTPUT_FAILED'
  | 'NOTHING_TO_ANALYZE'
  | 'LIMIT_EXCEEDED'
  | 'BAD_MESSAGE'
  | 'BAD_FRAME'
  | 'UNKNOWN_STREAM'
  | 'UNSUPPORTED_FORMAT'
  | 'UNAUTHENTICATED'
  | 'TOKEN_EXPIRED'
  | 'FORBIDDEN'
  | 'ORIGIN_REFUSED'
  | 'PURPOSE_REFUSED'
  | 'SESSION_NOT_FOUND'
  | 'SESSION_ENDED'
  | 'RESUME_FAILED'
  | 'EVICTED'
  | 'HELLO_TIMEOUT'
  | 'IDLE_TIMEOUT'
  | 'RATE_LIMITED'
  | 'OVERLOADED'
  | 'MESSAGE_TOO_BIG'
  | 'SLOW_CONSUMER'
  | 'GOING_AWAY'
  | 'UNREACHABLE'
  | 'CAPTURE_REFUSED'
  | 'CAPTURE_FAILED'
  | 'INTERNAL';

/**
 * What a code means. `closeCode` is the WebSocket close code that goes with it (4000–4999 are ours, RFC 6455 section
 * 7.4.2). The documentation is made from this table.
 */
export type ErrorEntry = { readonly meaning: string; readonly retryable: boolean; readonly closeCode: number };

/** The one table of error codes. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorEntry>> = {
  BAD_OPTION: { meaning: 'A command-line option or argument breaks its rule.', retryable: false, closeCode: 4400 },
  BAD_CONFIG: { meaning: 'The configuration does not fit its schema.', retryable: false, closeCode: 4400 },
  FILE_NOT_FOUND: { meaning: 'An input file does not exist or cannot be read.', retryable: false, closeCode: 4404 },
  FILE_EMPTY: { meaning: 'An input file has no content.', retryable: false, closeCode: 4415 },
  NOT_MEDIA: { meaning: 'The file is not audio or video that ffmpeg can open.', retryable: false, closeCode: 4415 },
  NO_AUDIO: { meaning: 'The file has no audio stream.', retryable: false, closeCode: 4415 },
  BAD_CHANNELS: { meaning: 'The number of channels does not fit the names given.', retryable: false, closeCode: 4415 },
  DECODE_ERROR: {
    meaning: 'Part of a media file could not be decoded; what could be was analyzed.',
    retryable: false,
    closeCode: 4415,
  },
  FFMPEG_MISSING: { meaning: 'No ffmpeg binary was found.', retryable: false, closeCode: 4503 },
  VAD_MISSING: { meaning: 'The voice activity model could not be loaded.', retryable: false, closeCode: 4503 },
  RECOGNIZER_MISSING: {
    meaning: 'A speech recognizer, its library, model or key is not there.',
    retryable: false,
    closeCode: 4503,
  },
  RECOGNIZER_FAILED: { meaning: 'A speech recognizer failed or stalled.', retryable: true, closeCode: 4503 },
  VISION_DOWN: {
    meaning: 'Pictures cannot be read, or could not for a while; the other modalities go on.',
    retryable: true,
    closeCode: 4503,
  },
  BAD_MODEL: {
    meaning: 'A model file is damaged or is not the one of the catalogue.',
    retryable: false,
    closeCode: 4503,
  },
  DOWNLOAD_FAILED: {
    meaning: 'A model could not be downloaded; what came is kept for the next try.',
    retryable: true,
    closeCode: 4503,
  },
  BAD_CAPTIONS: {
    meaning: 'The captions file is not WebVTT, SRT or JSON captions.',
    retryable: false,
    closeCode: 4415,
  },
  BAD_RTTM: { meaning: 'The RTTM file has no usable line for this recording.', retryable: false, closeCode: 4415 },
  NO_BACKEND: { meaning: 'No tensor backend could be started.', retryable: false, closeCode: 4503 },
  BAD_WEIGHTS: {
    meaning: 'The weights file is damaged, hostile or does not fit the model.',
    retryable: false,
    closeCode: 4503,
  },
  BAD_STATE: {
    meaning: 'A saved context state is damaged or belongs to other weights.',
    retryable: false,
    closeCode: 4409,
  },
  BAD_DATASET: { meaning: 'A dataset breaks a rule of dataset format 1.', retryable: false, closeCode: 4415 },
  BAD_CHECKPOINT: {
    meaning: 'A training checkpoint is damaged or was made by another configuration.',
    retryable: false,
    closeCode: 4409,
  },
  OUTPUT_FAILED: {
    meaning: 'The output folder cannot be written or the disk is full.',
    retryable: true,
    closeCode: 4507,
  },
  NOTHING_TO_ANALYZE: {
    meaning: 'With these inputs and this privacy mode nothing is left to analyze.',
    retryable: false,
    closeCode: 4400,
  },
  LIMIT_EXCEEDED: { meaning: 'A documented limit was exceeded.', retryable: false, closeCode: 4429 },
  BAD_MESSAGE: { meaning: 'A message breaks a rule of the protocol.', retryable: false, closeCode: 4400 },
  BAD_FRAME: { meaning: 'A media frame is damaged or does not fit its stream.', retryable: false, closeCode: 4400 },
  UNKNOWN_STREAM: {
    meaning: 'A message names a stream or participant that was not declared.',
    retryable: false,
    closeCode: 4400,
  },
  UNSUPPORTED_FORMAT: { meaning: 'A stream is in a format that cannot be read.', retryable: false, closeCode: 4415 },
  UNAUTHENTICATED: {
    meaning: 'No key or token was given, or one that is not valid.',
    retryable: false,
    closeCode: 4401,
  },
  TOKEN_EXPIRED: { meaning: 'The token is no longer valid; get a new one.', retryable: true, closeCode: 4401 },
  FORBIDDEN: { meaning: 'The key or token does not allow this.', retryable: false, closeCode: 4403 },
  ORIGIN_REFUSED: { meaning: 'Pages of this origin may not connect.', retryable: false, closeCode: 4403 },
  PURPOSE_REFUSED: {
    meaning: 'The policy of this server does not allow this purpose.',
    retryable: false,
    closeCode: 4403,
  },
  SESSION_NOT_FOUND: { meaning: 'There is no such session.', retryable: false, closeCode: 4404 },
  SESSION_ENDED: { meaning: 'The session is over.', retryable: false, closeCode: 4410 },
  RESUME_FAILED: {
    meaning: 'The resume token is not, or no longer, good; begin anew.',
    retryable: false,
    closeCode: 4409,
  },
  EVICTED: { meaning: 'Another connection came with the resume token of this one.', retryable: false, closeCode: 4409 },
  HELLO_TIMEOUT: { meaning: 'No hello came in time.', retryable: true, closeCode: 4408 },
  IDLE_TIMEOUT: { meaning: 'Nothing came for too long, not even a ping.', retryable: true, closeCode: 4408 },
  RATE_LIMITED: { meaning: 'Too much came in too short a time.', retryable: true, closeCode: 4429 },
  OVERLOADED: { meaning: 'The server has more to do than it can; come back later.', retryable: true, closeCode: 1013 },
  MESSAGE_TOO_BIG: { meaning: 'A message is larger than the limit.', retryable: false, closeCode: 1009 },
  SLOW_CONSUMER: {
    meaning: 'The consumer does not read fast enough; come back with the last seq.',
    retryable: true,
    closeCode: 1013,
  },
  GOING_AWAY: {
    meaning: 'The server is shutting down; come back elsewhere or later.',
    retryable: true,
    closeCode: 1001,
  },
  UNREACHABLE: {
    meaning: 'The server cannot be reached: nobody answers, or the network is away.',
    retryable: true,
    closeCode: 1006,
  },
  CAPTURE_REFUSED: {
    meaning: 'The user, or a rule of the browser, does not allow the microphone or the camera.',
    retryable: false,
    closeCode: 4403,
  },
  CAPTURE_FAILED: { meaning: 'The microphone or the camera cannot be used.', retryable: true, closeCode: 4503 },
  INTERNAL: { meaning: 'A defect of ours; please report it.', retryable: false, closeCode: 1011 },
};

/** The session or command cannot continue. `message` names files, rules and sizes, never what people said. */
export class UndertoneError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UndertoneError';
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
  }
}

/** Is `error` an {@link UndertoneError}? Matches by code, because two copies of the class may be loaded. */
export function isUndertoneError(error: unknown): error is UndertoneError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in ERROR_CODES;
}
