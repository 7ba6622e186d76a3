import type { Modality, SightlessReason } from './domain/modality.ts';
import type { SpeakerTurn, TimedWord, Transcript } from './domain/observation.ts';
import type { UndertoneError } from './errors.ts';

/** What a media file holds. Durations in ms (`null` when the container does not say). */
export type MediaContents = {
  readonly durationMs: number | null;
  readonly audio: readonly {
    readonly index: number;
    readonly channels: number;
    readonly sampleRateHz: number;
    readonly codec: string;
  }[];
  readonly video: readonly {
    readonly index: number;
    readonly width: number;
    readonly height: number;
    readonly framesPerSecond: number | null;
  }[];
};

/** One decoded block of audio: mono, 16 kHz, in [-1, 1], beginning at `startMs` of the file. */
export type AudioBlock = { readonly startMs: number; readonly samples: Float32Array };

/** One decoded picture, `width × height × bytesPerPixel` bytes, shown at `atMs` of the file. */
export type VideoFrame = {
  readonly atMs: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
};

/** Which part of a media file's sound is decoded. Without `channel`, all channels are mixed down to mono. */
export type AudioSelection = { readonly channel?: number };

/** A rectangle of a picture, in its pixels from the top left. */
export type PictureArea = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

/**
 * Which pictures are decoded: at a constant rate, scaled to fit, as grey (1 byte) or RGBA (4 bytes); of each the whole, or
 * only `area`.
 */
export type VideoSelection = {
  readonly framesPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly format: 'gray' | 'rgba';
  readonly area?: PictureArea;
};

/**
 * Reads media files. Each decoder is an async iterable: it decodes only as fast as it is read (bounded memory), and
 * leaving the loop early ends the decoder's process. A file that breaks off yields what could be decoded and then
 * throws an `UndertoneError` with code `DECODE_ERROR`.
 */
export type MediaReader = {
  /** Looks into a file. @throws UndertoneError FILE_NOT_FOUND, FILE_EMPTY, NOT_MEDIA, FFMPEG_MISSING */
  probe(path: string): Promise<MediaContents>;
  /** Blocks of at most 100 ms, in order, without holes: gaps in the file's timestamps become silence. */
  decodeAudio(path: string, selection?: AudioSelection): AsyncIterable<AudioBlock>;
  decodeVideo(path: string, selection: VideoSelection): AsyncIterable<VideoFrame>;
};

/** Speech probabilities for one stream of 16 kHz mono audio; frames of `frameMs`, held over between calls. */
export type VoiceActivityStream = {
  readonly frameMs: number;
  /** One probability in [0, 1] for each frame completed by `samples`. */
  process(samples: Float32Array): Promise<Float32Array>;
  close(): void;
};

/** A voice activity detector: one loaded model, any number of streams. */
export type VoiceActivityDetector = {
  readonly name: string;
  open(): VoiceActivityStream;
  close(): Promise<void>;
};

/** What a captions file yields: transcripts in order of arrival, and what was left out and why. */
export type ParsedCaptions = {
  readonly transcripts: readonly Transcript[];
  readonly problems: readonly SidecarProblem[];
};

/** What a diarization file yields: turns in order of start time, and what was left out and why. */
export type ParsedTurns = { readonly turns: readonly SpeakerTurn[]; readonly problems: readonly SidecarProblem[] };

/** A line or cue that was not used, or was mended, by number and rule; never with its text. */
export type SidecarProblem = { readonly line: number; readonly rule: string };

/**
 * What a recognizer can do. `sampleRatesHz`: rates of the source it is fit for (what it is given is always 16 kHz).
 * `languages`: BCP 47 tags. `demonstration`: low accuracy, chosen only where somebody asked for it. `maxStreams`: how many it
 * can have open at a time; as many as wanted unless given.
 */
export type RecognizerCapabilities = {
  readonly interim: boolean;
  readonly wordTimes: boolean;
  readonly diarization: boolean;
  readonly languages: readonly string[] | 'any';
  readonly sampleRatesHz: readonly number[];
  readonly isLocal: boolean;
  readonly quality: 'production' | 'demonstration';
  readonly maxStreams?: number;
};

/**
 * What a recognizer heard, in ms of the stream's own clock, which is that of the samples given: 0 is the first sample.
 * An `interim` replaces the one before and is replaced by the `final`. Finals are in order, do not repeat each other, and
 * their text is never blank. `confidence` lies in [0, 1]; `language` is a BCP 47 tag; `speakerLabel` is stable in a stream.
 */
export type RecognizerEvent =
  | {
      readonly type: 'interim';
      readonly startMs: number;
      readonly endMs: number;
      readonly text: string;
      readonly speakerLabel?: string;
    }
  | {
      readonly type: 'final';
      readonly startMs: number;
      readonly endMs: number;
      readonly text: string;
      readonly words?: readonly TimedWord[];
      readonly confidence?: number;
      readonly speakerLabel?: string;
      readonly language?: string;
    };

/** One stream of 16 kHz mono sound being recognized. Its queue is bounded: await `write` before giving more. */
export type RecognizerStream = {
  /**
   * Takes samples in [-1, 1], in order (NaN counts as 0; they may be reused at once), and resolves when more may be given.
   * After `onError` they are ignored. @throws TypeError after `end` or `close`; RangeError when too much is waiting.
   */
  write(samples: Float32Array): Promise<void>;
  /** Speech has ended: asks for the final of what was written so far. */
  finalize(): void;
  /** There is no more sound; resolves when every final has been delivered, or the stream has failed. */
  end(): Promise<void>;
  /** Ends at once: no event follows. May be called again. */
  close(): void;
};

/** How a stream is recognized, and who is told. `onError` is called at most once; the stream has then failed for good. */
export type RecognizerStreamOptions = {
  /** BCP 47 tag; without one the recognizer's own default. */
  readonly language?: string;
  /** The rate the sound had before it was resampled to 16 kHz, when known. */
  readonly sourceRateHz?: number;
  /** Whether several people may be heard, so that labels of speakers are of use; true unless given. */
  readonly severalSpeakers?: boolean;
  readonly onEvent: (event: RecognizerEvent) => void;
  readonly onError: (error: UndertoneError) => void;
};

/** A speech recognizer, of which streams are opened. Closing it closes its streams. */
export type Recognizer = {
  readonly name: string;
  readonly capabilities: RecognizerCapabilities;
  /** Rejects with an UndertoneError, RECOGNIZER_MISSING or RECOGNIZER_FAILED; with a TypeError after `close`. */
  open(options: RecognizerStreamOptions): Promise<RecognizerStream>;
  /**
   * Where opening takes long: keeps so many streams ready from now on, beside those that are open, for whoever opens one.
   * Resolves when they are ready, or cannot be: whoever opens one finds out.
   */
  keepReady?(streams: number): Promise<void>;
  close(): Promise<void>;
};

/**
 * Decodes Opus packets (RFC 6716) of one stream, in order, to channels of samples in [-1, 1] at 48 kHz. Where packets are
 * missing it goes on with the next, as libopus does.
 */
export type OpusPacketDecoder = {
  /** Undefined for what is no Opus packet; never throws. */
  decode(packet: Uint8Array): readonly Float32Array[] | undefined;
  close(): void;
};

/** What can be read from pictures, in order. */
export const VISION_MODALITIES: readonly ['face', 'body'] = ['face', 'body'];
/** One modality of {@link VISION_MODALITIES}. */
export type VisionModality = Extract<Modality, (typeof VISION_MODALITIES)[number]>;

export type { SightlessReason } from './domain/modality.ts';

/**
 * One picture of one participant, taken at `atMs`: pixels (`4 × width × height` bytes, from the top left) or a JPEG file. The
 * extractor takes a copy and forgets it once looked at; nothing of it is written anywhere.
 */
export type Picture =
  | { readonly atMs: number; readonly width: number; readonly height: number; readonly rgba: Uint8Array }
  | { readonly atMs: number; readonly jpeg: Uint8Array };

/** What one picture shows of one modality: `row` has the columns of docs/features.md (52 of a face, 28 of a body). */
export type Sighting =
  | { readonly modality: VisionModality; readonly atMs: number; readonly row: Float32Array }
  | { readonly modality: VisionModality; readonly atMs: number; readonly reason: SightlessReason };

/** How many pictures were looked at, left out (the rate, a newer one) and could not be looked at. */
export type VisionCounts = { readonly looked: number; readonly skipped: number; readonly failed: number };

/** The pictures of one participant. */
export type VisionStream = {
  /**
   * Live: takes a picture and returns at once. Of the pictures that wait the newest wins; the rest are skipped and
   * counted. What was seen goes to `onSightings`.
   */
  look(picture: Picture): void;
  /**
   * Recorded: every picture is looked at, in the order of the calls; resolves with one sighting for each modality. Await it
   * before the next one is decoded. Never rejects for what a picture holds, nor when the extractor fails (`vision_down`).
   */
  examine(picture: Picture): Promise<readonly Sighting[]>;
  /** Resolves when everything taken so far was looked at or skipped. */
  flush(): Promise<void>;
  /** Releases what the stream holds; pictures that still wait are dropped. */
  close(): void;
  readonly counts: VisionCounts;
};

/** What is looked for in a stream, and who is told. None of the callbacks may throw. */
export type VisionStreamOptions = {
  /** What is looked for; a modality that is not named is never looked for, and its model is never loaded. */
  readonly modalities: readonly VisionModality[];
  /** Called for each picture that `look` took and did not skip: one sighting for each modality, in order of `atMs`. */
  readonly onSightings?: (sightings: readonly Sighting[]) => void;
  /** Called when `look` goes over to another rate, in pictures a second: 10, 5 or 2. */
  readonly onRateChange?: (framesPerSecond: number) => void;
  /** Called when the extractor fails, once for each failure; the stream goes on. */
  readonly onFault?: (fault: { readonly code: string; readonly message: string }) => void;
};

/** Reads faces and bodies in pictures: any number of streams, a bounded number of threads. */
export type VisionExtractor = {
  readonly name: string;
  /** What it can read; another modality is answered with `no_extractor`. */
  readonly modalities: readonly VisionModality[];
  /** @throws UndertoneError VISION_DOWN when a model cannot be loaded; LIMIT_EXCEEDED past the most streams. */
  open(options: VisionStreamOptions): Promise<VisionStream>;
  close(): Promise<void>;
};
