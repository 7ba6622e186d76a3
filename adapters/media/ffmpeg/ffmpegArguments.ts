import ffmpeg from 'fluent-ffmpeg';
import type { VideoSelection } from '../../../src/adapter.ts';

/** Sample rate of all decoded sound, in Hz. */
export const SAMPLE_RATE_HZ = 16_000;

/**
 * The containers that are opened: those that carry their own sound and pictures. Left out on purpose are playlists and
 * sequences (hls, concat, dash, image2: one file would open others), single pictures, subtitles and text
 * shown as pictures (tty), and headerless sound.
 */
const CONTAINERS = [
  ...['aac', 'ac3', 'aiff', 'amr', 'ape', 'asf', 'au', 'avi', 'caf', 'dsf', 'dts', 'dv', 'eac3', 'flac', 'flv', 'gxf'],
  ...[
    'h264',
    'hevc',
    'ivf',
    'loas',
    'm4v',
    'matroska',
    'mov',
    'mp3',
    'mpeg',
    'mpegts',
    'mpegvideo',
    'mxf',
    'nut',
    'ogg',
  ],
  ...['rm', 'tak', 'truehd', 'tta', 'voc', 'w64', 'wav', 'wtv', 'wv', 'xwma'],
].join(',');

/**
 * The largest single allocation ffmpeg may make. It bounds what a hostile header can ask for, and the silence ffmpeg
 * makes for a gap in the timestamps, which it builds in one piece: about 70 minutes fit.
 */
const MAX_ALLOCATION_BYTES = 256 * 2 ** 20;

/** Returns the arguments that make ffmpeg describe the file on stderr, and decode nothing. */
export function toProbeArguments(url: string): string[] {
  return input(url, 'info')._getArguments();
}

/** What is decoded of a sound stream: `stream` counts all streams of the file from 0, `channel` the stream's channels. */
export type AudioArguments = {
  readonly stream: number;
  readonly channels: number;
  readonly channel?: number;
  /** Whether other streams begin with it: then silence fills the time until its own beginning. */
  readonly isOneOfMany: boolean;
};

/**
 * Returns the arguments that write the sound as 32-bit floats, mono, 16 kHz, to stdout. The mix is the mean of all
 * channels: it cannot clip, and no channel counts less for its place in a layout, since a person may sit on any.
 */
export function toAudioArguments(url: string, { stream, channels, channel, isOneOfMany }: AudioArguments): string[] {
  const all = Array.from({ length: channels }, (_, index) => `${(1 / channels).toFixed(9)}*c${index}`);
  return input(url, 'error')
    .outputOptions(['-map', `0:${stream}`, '-vn', '-sn', '-dn'])
    .audioFilters([
      'aformat=sample_fmts=fltp',
      `pan=mono|c0=${channel === undefined ? all.join('+') : `c${channel}`}`,
      `aresample=${SAMPLE_RATE_HZ}`,
      // A separate step at 16 kHz, so that the silence for a gap is a third of the size.
      `aresample=async=1${isOneOfMany ? ':first_pts=0' : ''}`,
    ])
    .outputOptions(['-c:a', 'pcm_f32le', '-ar', String(SAMPLE_RATE_HZ), '-ac', '1', '-f', 'f32le'])
    .output('pipe:1')
    ._getArguments();
}

/**
 * Returns the arguments that write the pictures of a stream to stdout, `width × height` each. A picture at `t` is the one
 * on screen at `t`: never a later one, except before the first.
 */
export function toVideoArguments(url: string, stream: number, selection: VideoSelection): string[] {
  const { framesPerSecond, width, height, format, area } = selection;
  return input(url, 'error')
    .outputOptions(['-map', `0:${stream}`, '-an', '-sn', '-dn'])
    .videoFilters([
      `fps=fps=${framesPerSecond}:round=up:start_time=0`,
      ...(area ? [`crop=${area.width}:${area.height}:${area.x}:${area.y}`] : []),
      `scale=${width}:${height}:force_original_aspect_ratio=decrease`,
      'format=rgb24', // pad paints grey pictures with 16, the black of television
      `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`,
      `format=${format}`,
    ])
    .outputOptions(['-c:v', 'rawvideo', '-pix_fmt', format, '-f', 'rawvideo'])
    .output('pipe:1')
    ._getArguments();
}

/** Options of every command: no keyboard, no banner, files only (no network, whatever the file asks for). */
function input(url: string, logLevel: 'info' | 'error'): ffmpeg.FfmpegCommand {
  return ffmpeg()
    .input(url)
    .inputOptions([
      '-nostdin',
      '-hide_banner',
      '-nostats',
      ...['-loglevel', logLevel],
      ...['-max_alloc', String(MAX_ALLOCATION_BYTES)],
      ...['-protocol_whitelist', 'file,pipe'],
      ...['-format_whitelist', CONTAINERS],
    ]);
}
