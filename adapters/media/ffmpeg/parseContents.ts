import type { MediaContents } from '../../../src/adapter.ts';

/** What `ffmpeg -i` said of a file. */
export type ProbedFile = {
  readonly contents: MediaContents;
  /** All streams of the file, usable or not. */
  readonly streams: number;
  /** Whether the duration was guessed from the bit rate rather than declared or counted. */
  readonly isDurationEstimated: boolean;
};

/** Takes what ffmpeg writes on stderr line by line, and keeps only what it was looking for. */
export type ContentsParser = { readonly line: (text: string) => void; readonly result: () => ProbedFile | null };

type AudioStream = MediaContents['audio'][number];
type VideoStream = MediaContents['video'][number];

const MAX_STREAMS = 1_024;
const DURATION = /^ {2}Duration: (?:(\d+):(\d\d):(\d\d(?:\.\d+)?)|N\/A)/;
const STREAM = /^ {2,4}Stream #0:(\d+)(?:\[0x[0-9a-f]+\])?(?:\([^)]*\))?: (Audio|Video): (.*)$/;
const ANY_STREAM = /^ {2,4}Stream #0:\d/;

/**
 * Creates a parser of `ffmpeg -i` output for the file `url`, of FFmpeg 4 (2018) and later; there is no ffprobe in the
 * package that carries ffmpeg. `result` is null when ffmpeg did not open the file.
 * Titles and other metadata are in that output too and can say anything: they come before the duration, or
 * indented by six spaces, so no line of theirs is taken for a stream. Nor are lines of a file name with line breaks.
 */
export function createContentsParser(url: string): ContentsParser {
  let nameLines = url.split('\n').length;
  let state: 'before' | 'name' | 'metadata' | 'streams' = 'before';
  let durationMs: number | null = null;
  let isDurationEstimated = false;
  let streams = 0;
  const audio: AudioStream[] = [];
  const video: VideoStream[] = [];

  const line = (text: string): void => {
    if (state === 'before') {
      if (text.includes('Estimating duration from bitrate')) isDurationEstimated = true;
      if (text.startsWith('Input #0, ')) state = 'name';
    }
    if (state === 'name') {
      nameLines -= 1;
      if (nameLines === 0) state = 'metadata';
    } else if (state === 'metadata') {
      const duration = DURATION.exec(text);
      if (duration === null) return;
      durationMs = toDurationMs(duration);
      state = 'streams';
    } else if (state === 'streams' && ANY_STREAM.test(text) && streams < MAX_STREAMS) {
      streams += 1;
      const [, index, kind, details] = STREAM.exec(text) ?? [];
      if (index === undefined || details === undefined) return;
      const stream = kind === 'Audio' ? toAudioStream(Number(index), details) : null;
      if (stream !== null) audio.push(stream);
      const pictures = kind === 'Video' ? toVideoStream(Number(index), details) : null;
      if (pictures !== null) video.push(pictures);
    }
  };
  const result = (): ProbedFile | null =>
    state === 'streams' ? { contents: { durationMs, audio, video }, streams, isDurationEstimated } : null;
  return { line, result };
}

function toDurationMs([, hours, minutes, seconds]: RegExpExecArray): number | null {
  if (hours === undefined || minutes === undefined || seconds === undefined) return null;
  return Math.round((Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000);
}

function toAudioStream(index: number, details: string): AudioStream | null {
  const match = /^([^ ,]+).*?, (\d+) Hz, ([^,]+)/.exec(details);
  const [, codec, rate, layout] = match ?? [];
  if (codec === undefined || codec === 'none' || layout === undefined) return null;
  const channels = toChannels(layout.trim());
  return channels === 0 ? null : { index, channels, sampleRateHz: Number(rate), codec };
}

const NAMED_LAYOUTS: Readonly<Record<string, number>> = {
  mono: 1,
  stereo: 2,
  downmix: 2,
  binaural: 2,
  quad: 4,
  hexagonal: 6,
  octagonal: 8,
  cube: 8,
  hexadecagonal: 16,
};

/**
 * Returns the number of channels of a layout as ffmpeg writes it: "stereo", "quad(side)", "5.1(side)", "7.1.4",
 * "12 channels", "2 channels (FL+FC)", "ambisonic 1", "FL+FR+LFE". 0 when it has none.
 */
export function toChannels(layout: string): number {
  const named = NAMED_LAYOUTS[layout.replace(/\(.*$/, '')];
  if (named !== undefined) return named;
  const counted = /^(\d+) channels?/.exec(layout);
  if (counted !== null) return Number(counted[1]);
  const dotted = /^(\d+(?:\.\d+)+)/.exec(layout)?.[1];
  if (dotted !== undefined) return dotted.split('.').reduce((sum, part) => sum + Number(part), 0);
  const ambisonic = /^ambisonic (\d+)/.exec(layout)?.[1];
  if (ambisonic !== undefined) return (Number(ambisonic) + 1) ** 2;
  return layout.split('+').length;
}

/** A picture codec without a frame rate is the cover of a record; FFmpeg of 2018 does not say "(attached pic)". */
const COVER = /^(?:mjpeg|png|bmp|gif|webp|tiff)\b(?!.* fps)|\(attached pic\)$/;

function toVideoStream(index: number, details: string): VideoStream | null {
  const size = /, (\d{1,6})x(\d{1,6})(?=[ ,]|$)/.exec(details);
  if (size === null || details.startsWith('none') || COVER.test(details)) return null;
  const rate = /, (\d+(?:\.\d+)?)(k?) fps/.exec(details);
  const framesPerSecond = rate === null ? null : Number(rate[1]) * (rate[2] === 'k' ? 1_000 : 1);
  return { index, width: Number(size[1]), height: Number(size[2]), framesPerSecond };
}
