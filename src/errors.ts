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
