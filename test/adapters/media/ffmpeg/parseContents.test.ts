import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContentsParser, toChannels, type ProbedFile } from '../../../../adapters/media/ffmpeg/parseContents.ts';

function parse(text: string, url = 'file:/a'): ProbedFile | null {
  const parser = createContentsParser(url);
  for (const line of text.split('\n')) parser.line(line);
  return parser.result();
}

const OF_2018 = `Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/a':
  Metadata:
    title           : Duration: 09:09:09.00, start: 0
    Stream #0:7: Audio: aac, 1 Hz, stereo
  Duration: 01:02:03.45, start: 0.000000, bitrate: 44 kb/s
    Stream #0:0(und): Video: h264 (High) (avc1 / 0x31637661), yuv420p(tv, bt709), 512x288 [SAR 1:1 DAR 16:9], 8 kb/s, 29.97 fps, 29.97 tbr (default)
    Metadata:
      handler_name    : VideoHandler
      Stream #0:9: Audio: aac, 1 Hz, stereo
    Stream #0:1(eng): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, 5.1(side), fltp, 73 kb/s (default)
    Stream #0:2: Audio: none, 0 channels
    Stream #0:3: Subtitle: mov_text
At least one output file must be specified`;

const OF_2022 = `[mp3 @ 0x55] Estimating duration from bitrate, this may be inaccurate
Input #0, mpegts, from 'file:/a':
  Duration: N/A, start: 1.400000, bitrate: N/A
  Program 1
    Metadata:
      service_name    : Service01
  Stream #0:0[0x100]: Video: mpeg4 (Simple Profile) ([27][0][0][0] / 0x001B), yuv420p, 641x361, 90k tbr, 90k tbn
  Stream #0:1[0x101](deu): Audio: opus, 48000 Hz, 12 channels, fltp
  Stream #0:2: Video: mjpeg (Baseline), yuvj420p(pc), 500x500, 90k tbr, 90k tbn (attached pic)
  Stream #0:3: Video: mjpeg, yuvj420p(pc), 320x240, 1k fps, 15 tbr`;

describe('createContentsParser', () => {
  it('reads what FFmpeg of 2018 says, and takes no metadata for a stream or a duration', () => {
    expect(parse(OF_2018)).toEqual({
      contents: {
        durationMs: 3_723_450,
        audio: [{ index: 1, channels: 6, sampleRateHz: 44_100, codec: 'aac' }],
        video: [{ index: 0, width: 512, height: 288, framesPerSecond: 29.97 }],
      },
      streams: 4,
      isDurationEstimated: false,
    });
  });

  it('reads what FFmpeg 5 says, with stream ids, no duration, no frame rate and a cover', () => {
    expect(parse(OF_2022)).toEqual({
      contents: {
        durationMs: null,
        audio: [{ index: 1, channels: 12, sampleRateHz: 48_000, codec: 'opus' }],
        video: [
          { index: 0, width: 641, height: 361, framesPerSecond: null },
          { index: 3, width: 320, height: 240, framesPerSecond: 1_000 },
        ],
      },
      streams: 4,
      isDurationEstimated: true,
    });
  });

  it('returns null when ffmpeg opened nothing', () => {
    expect(parse('')).toBeNull();
    expect(parse('file:/a: Invalid data found when processing input')).toBeNull();
    expect(parse("Input #0, wav, from 'file:/a':")).toBeNull();
  });

  it('passes over as many lines as the file name has', () => {
    const url = 'file:/a\n  Duration: 00:00:09.00, x\n  Stream #0:0: Audio: aac, 1 Hz, stereo\nb.wav';
    const text = `Input #0, wav, from '${url}':\n  Duration: 00:00:01.00, bitrate: 1\n  Stream #0:0: Audio: flac, 8000 Hz, mono, s16`;
    expect(parse(text, url)?.contents).toEqual({
      durationMs: 1_000,
      audio: [{ index: 0, channels: 1, sampleRateHz: 8_000, codec: 'flac' }],
      video: [],
    });
  });

  it('keeps at most 1,024 streams', () => {
    const streams = Array.from({ length: 3_000 }, (_, i) => `  Stream #0:${i}: Audio: flac, 8000 Hz, mono, s16`);
    const parsed = parse(["Input #0, x, from 'file:/a':", '  Duration: N/A, x', ...streams].join('\n'));
    expect(parsed?.contents.audio).toHaveLength(1_024);
  });

  it('is total: no text makes it throw or yield a stream of no channels or no size', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "Input #0, wav, from 'file:/a':",
        '  Duration: ',
        '  Stream #0:0',
        ': Audio: ',
        ': Video: ',
        ', 44100 Hz, ',
      ),
      fc.string(),
      fc.constantFrom('\n', 'stereo', '0x0', '00:00:01.00', 'N/A'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const parsed = parse(pieces.join(''));
        for (const { channels, sampleRateHz } of parsed?.contents.audio ?? []) {
          expect(channels).toBeGreaterThan(0);
          expect(Number.isInteger(sampleRateHz)).toBe(true);
        }
      }),
    );
  });
});

describe('toChannels', () => {
  it.each([
    ['mono', 1],
    ['stereo', 2],
    ['downmix', 2],
    ['2.1', 3],
    ['quad', 4],
    ['quad(side)', 4],
    ['5.0', 5],
    ['5.1', 6],
    ['5.1(side)', 6],
    ['6.1(back)', 7],
    ['7.1', 8],
    ['7.1(wide-side)', 8],
    ['7.1.4', 12],
    ['22.2', 24],
    ['hexadecagonal', 16],
    ['1 channels (FL)', 1],
    ['2 channels (FL+FC)', 2],
    ['12 channels', 12],
    ['0 channels', 0],
    ['ambisonic 1', 4],
    ['FL+FR+LFE', 3],
  ])('counts %s as %i channels', (layout, channels) => {
    expect(toChannels(layout)).toBe(channels);
  });
});
