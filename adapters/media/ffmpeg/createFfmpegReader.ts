import type {
  AudioBlock,
  AudioSelection,
  MediaContents,
  MediaReader,
  VideoFrame,
  VideoSelection,
} from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { createDecodeFaults } from './decodeFaults.ts';
import { SAMPLE_RATE_HZ, toAudioArguments, toProbeArguments, toVideoArguments } from './ffmpegArguments.ts';
import { readFfmpeg } from './ffmpegProcess.ts';
import { findFfmpeg, type FfmpegBinary } from './findFfmpeg.ts';
import { missingWavBytes, toInputFile, type InputFile } from './inputFile.ts';
import { createContentsParser, type ProbedFile } from './parseContents.ts';
import { toBlocks } from './toBlocks.ts';

/** `binary`: the ffmpeg to run; without it, `findFfmpeg(env)` chooses at first use. `env` defaults to the process's. */
export type FfmpegReaderOptions = {
  readonly binary?: FfmpegBinary;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/** The most channels one stream may have. */
export const MAX_CHANNELS = 32;
/** The longest recording that is read, gaps included, in ms: 24 hours. */
export const MAX_DURATION_MS = 86_400_000;
/** The largest picture that is decoded or asked for, in pixels. */
export const MAX_PIXELS: number = 8_192 * 8_192;

const BLOCK_SAMPLES = SAMPLE_RATE_HZ / 10;
/** A file holds less than its header promises when more than this is missing, in ms and as a share. */
const MISSING_MS = 1_000;
const MISSING_SHARE = 0.02;

/**
 * Returns a reader of media files that runs ffmpeg, one process per probe or decoder, which ends with the loop that
 * reads it. Works with FFmpeg of 2018 and needs no ffprobe. Sound is that of the file's first audio stream; the
 * pictures are those of its first video stream (covers aside), framed in black where the shape differs; a file
 * without pictures yields none. Nothing is read but the file itself: no network, no playlist.
 * Beside the contract's errors: NO_AUDIO, BAD_CHANNELS (`channel` is not there), LIMIT_EXCEEDED (32 channels, 8,192 × 8,192
 * pixels, 24 hours). @throws RangeError at the call for a selection outside its range.
 */
export function createFfmpegReader({ binary, env = process.env }: FfmpegReaderOptions = {}): MediaReader {
  let found = binary;
  const run: Run = (args, onLine) => {
    found ??= findFfmpeg(env);
    return readFfmpeg(found.path, args, onLine);
  };
  return {
    probe: async (path) => (await probeFile(run, await toInputFile(path))).contents,
    decodeAudio: (path, selection = {}) => {
      requireChannel(selection);
      return decodeAudio(run, path, selection);
    },
    decodeVideo: (path, selection) => {
      requirePictures(selection);
      return decodeVideo(run, path, selection);
    },
  };
}

type Run = (args: readonly string[], onLine: (text: string) => void) => ReturnType<typeof readFfmpeg>;

async function probeFile(run: Run, file: InputFile): Promise<ProbedFile> {
  const parser = createContentsParser(file.url);
  for await (const _ of run(toProbeArguments(file.url), parser.line));
  const probed = parser.result();
  if (probed === null || isEmpty(probed.contents)) {
    throw new UndertoneError('NOT_MEDIA', `${file.path}: ffmpeg finds no audio or video in it`);
  }
  return probed;
}

function isEmpty({ audio, video }: MediaContents): boolean {
  return audio.length === 0 && video.length === 0;
}

async function* decodeAudio(run: Run, path: string, { channel }: AudioSelection): AsyncGenerator<AudioBlock> {
  const file = await toInputFile(path);
  const probed = await probeFile(run, file);
  const stream = probed.contents.audio[0];
  if (stream === undefined) throw new UndertoneError('NO_AUDIO', `${path}: the file has no audio stream`);
  const { channels } = stream;
  if (channels > MAX_CHANNELS) throw limitExceeded(path, `${channels} channels are more than ${MAX_CHANNELS}`);
  if (channel !== undefined && channel >= channels) {
    const rule = `channel ${channel} (counted from 0) does not exist, the sound has ${channels}`;
    throw new UndertoneError('BAD_CHANNELS', `${path}: ${rule}`);
  }
  const args = toAudioArguments(file.url, {
    stream: stream.index,
    channels,
    isOneOfMany: probed.streams > 1,
    ...(channel === undefined ? {} : { channel }),
  });
  let samplesSoFar = 0;
  for await (const bytes of decode(run, file, args, BLOCK_SAMPLES * Float32Array.BYTES_PER_ELEMENT)) {
    const samples = toSamples(bytes);
    const startMs = toMs(samplesSoFar);
    requireLength(path, startMs);
    samplesSoFar += samples.length;
    if (samples.length > 0) yield { startMs, samples };
  }
  await requireComplete(file, probed, toMs(samplesSoFar));
}

async function* decodeVideo(run: Run, path: string, selection: VideoSelection): AsyncGenerator<VideoFrame> {
  const file = await toInputFile(path);
  const stream = (await probeFile(run, file)).contents.video[0];
  if (stream === undefined) return;
  if (stream.width * stream.height > MAX_PIXELS) {
    throw limitExceeded(path, `a picture of ${stream.width} × ${stream.height} is too large`);
  }
  const { width, height, framesPerSecond } = selection;
  const sizeBytes = toFrameBytes(selection);
  let frame = 0;
  for await (const pixels of decode(run, file, toVideoArguments(file.url, stream.index, selection), sizeBytes)) {
    if (pixels.length < sizeBytes) continue; // the rest of a picture whose decoder died
    const atMs = (frame * 1_000) / framesPerSecond;
    requireLength(path, atMs);
    yield { atMs, width, height, pixels };
    frame += 1;
  }
}

/** Yields what ffmpeg could decode, in blocks, and then throws when that was not everything. */
async function* decode(
  run: Run,
  file: InputFile,
  args: readonly string[],
  sizeBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const faults = createDecodeFaults(file.url);
  let exitCode: number | null = null;
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    exitCode = yield* run(args, faults.line);
  };
  yield* toBlocks(chunks(), sizeBytes);
  const rule = faults.rule() ?? (exitCode === 0 ? null : `ffmpeg stopped with exit code ${exitCode ?? 'unknown'}`);
  if (rule !== null) throw decodeError(file, rule);
}

/** Sound that is shorter than its header promises is an error even where ffmpeg is silent about it. */
async function requireComplete(file: InputFile, probed: ProbedFile, decodedMs: number): Promise<void> {
  const missingBytes = await missingWavBytes(file);
  if (missingBytes > 0) throw decodeError(file, `the file breaks off ${missingBytes} bytes before its end`);
  const { durationMs } = probed.contents;
  if (durationMs === null || probed.isDurationEstimated || probed.streams > 1) return;
  const missingMs = durationMs - decodedMs;
  if (missingMs > Math.max(MISSING_MS, durationMs * MISSING_SHARE)) {
    throw decodeError(file, `the file breaks off ${Math.round(missingMs)} ms before its end`);
  }
}

/** Little-endian floats; NaN becomes 0, and what a float format or the resampler puts beyond full scale is limited to it. */
function toSamples(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const samples = new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] ?? 0;
    if (sample >= -1 && sample <= 1) continue;
    samples[index] = Number.isNaN(sample) ? 0 : Math.sign(sample);
  }
  return samples;
}

function toMs(samples: number): number {
  return (samples * 1_000) / SAMPLE_RATE_HZ;
}

function toFrameBytes({ width, height, format }: VideoSelection): number {
  return width * height * (format === 'gray' ? 1 : 4);
}

function requireChannel({ channel }: AudioSelection): void {
  if (channel === undefined || (Number.isInteger(channel) && channel >= 0)) return;
  throw new RangeError(`channel must be an integer of at least 0, not ${channel}`);
}

function requirePictures({ framesPerSecond, width, height, area }: VideoSelection): void {
  if (!(framesPerSecond >= 0.01 && framesPerSecond <= 240)) {
    throw new RangeError(`framesPerSecond must be in [0.01, 240], not ${framesPerSecond}`);
  }
  for (const [name, value] of Object.entries({ width, height })) {
    if (Number.isInteger(value) && value >= 1 && value <= 4_096) continue;
    throw new RangeError(`${name} must be an integer in [1, 4096], not ${value}`);
  }
  for (const [name, value] of Object.entries(area ?? {})) {
    if (Number.isSafeInteger(value) && value >= (name === 'width' || name === 'height' ? 1 : 0)) continue;
    throw new RangeError(`${name} of the area must be a whole number of pixels, not ${value}`);
  }
}

function requireLength(path: string, atMs: number): void {
  if (atMs >= MAX_DURATION_MS) throw limitExceeded(path, 'longer than 24 hours');
}

function limitExceeded(path: string, rule: string): UndertoneError {
  return new UndertoneError('LIMIT_EXCEEDED', `${path}: ${rule}`);
}

function decodeError(file: InputFile, rule: string): UndertoneError {
  return new UndertoneError('DECODE_ERROR', `${file.path}: ${rule}`);
}
