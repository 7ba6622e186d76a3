import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFfmpegReader, MAX_CHANNELS } from '../../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { concat, describeMediaReader, drain } from '../../../contracts/mediaReader.ts';
import {
  createMediaFolder,
  ffmpegBinaries,
  level,
  picture,
  rms,
  sine,
  tone,
  toWav,
  type MediaFolder,
} from '../../../support/mediaFiles.ts';

for (const binary of ffmpegBinaries()) {
  const reader = createFfmpegReader({ binary });
  const name = `ffmpeg ${binary.version} of ${binary.source}`;
  let folder: MediaFolder;
  beforeAll(() => {
    folder = createMediaFolder();
  });
  afterAll(() => {
    folder.remove();
  });
  const soundOf = async (path: string): Promise<{ samples: Float32Array; code: unknown }> => {
    const { items, code } = await drain(reader.decodeAudio(path));
    return { samples: concat(items), code };
  };

  describeMediaReader(name, () => reader);

  describe(`formats, with ${name}`, () => {
    it.each([
      ['8k.wav', ['-ar', '8000']],
      ['192k.flac', ['-ar', '192000']],
      ['mulaw.wav', ['-ar', '8000', '-c:a', 'pcm_mulaw']],
      ['float.wav', ['-c:a', 'pcm_f64le', '-ac', '2']],
      ['stereo.mp3', ['-ac', '2', '-c:a', 'libmp3lame']],
      ['voice.opus', ['-ar', '48000', '-c:a', 'libopus']],
      ['voice.ogg', ['-c:a', 'libvorbis']],
      ['sound.m4a', ['-c:a', 'aac']],
      ['sound.mkv', ['-c:a', 'aac']],
      ['sound.webm', ['-ar', '48000', '-c:a', 'libopus']],
      ['sound.ts', ['-c:a', 'aac']],
      ['sound.aac', ['-c:a', 'aac']],
      ['sound.aiff', []],
      ['sound.avi', []],
      ['surround.wav', ['-ac', '8', '-channel_layout', '7.1']],
      ['surround.flac', ['-ac', '6']],
    ])('decodes 2 s of %s to 2 s of mono at 16 kHz', async (file, args) => {
      const { samples, code } = await soundOf(folder.make(file, [...tone(2), ...args]));
      expect(code).toBeNull();
      expect(Math.abs(samples.length / 16_000 - 2)).toBeLessThan(0.1);
      const middle = samples.subarray(4_000, 28_000);
      // The tone has an RMS of 0.088. ffmpeg spreads it over the channels: times 0.7 in stereo, less in surround.
      expect(rms(middle)).toBeGreaterThan(file.startsWith('surround') ? 0.005 : 0.055);
      expect(rms(middle)).toBeLessThan(0.1);
      let crossings = 0;
      middle.forEach((sample, index) => {
        if (index > 0 && sample >= 0 !== (middle[index - 1] ?? 0) >= 0) crossings += 1;
      });
      expect(crossings / 2 / 1.5).toBeCloseTo(440, -1);
    });

    it('hears every channel of an 8-channel recording with the same weight', async () => {
      for (let channel = 0; channel < 8; channel += 1) {
        const channels = Array.from({ length: 8 }, (_, index) => level(index === channel ? 0.8 : 0, 0.3));
        const { samples } = await soundOf(folder.write(`eight${channel}.wav`, toWav(channels, 16_000)));
        expect(rms(samples)).toBeCloseTo(0.1, 3);
      }
    });

    it('limits samples of a float file to [-1, 1]', async () => {
      const loud = folder.make('over.wav', [...tone(1), '-af', 'volume=40', '-c:a', 'pcm_f32le']);
      const { samples } = await soundOf(loud);
      expect(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)).toBe(1);
    });

    it('reads a file with more channels than are allowed as LIMIT_EXCEEDED', async () => {
      const channels = Array.from({ length: MAX_CHANNELS + 1 }, () => level(0.1, 0.1));
      expect((await soundOf(folder.write('many.wav', toWav(channels, 16_000)))).code).toBe('LIMIT_EXCEEDED');
    });

    it('does not take the cover of a record for a video', async () => {
      const cover = folder.make('cover.png', [...picture(1), '-frames:v', '1']);
      const args = [...tone(1), '-i', cover, '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-id3v2_version', '3'];
      const song = folder.make('song.mp3', [...args, '-disposition:v', 'attached_pic']);
      expect((await reader.probe(song)).video).toEqual([]);
      expect(
        (await drain(reader.decodeVideo(song, { framesPerSecond: 1, width: 8, height: 8, format: 'gray' }))).items,
      ).toEqual([]);
    });

    it('opens a file without a stated duration', async () => {
      const streamed = folder.write('streamed.wav', toWav([sine(440, 1)], 16_000, 0xffff_ffff));
      const { samples, code } = await soundOf(streamed);
      expect(code).toBeNull();
      expect(samples.length).toBe(16_000);
    });
  });

  describe(`time, with ${name}`, () => {
    it('fills a gap in the timestamps with silence, so that later sound keeps its time', async () => {
      const gap = "aselect='lt(t,1)+gte(t,3)'";
      const path = folder.make('gap.mka', [...tone(5, 48_000), '-af', gap, '-c:a', 'flac']);
      const { samples, code } = await soundOf(path);
      expect(code).toBeNull();
      expect(Math.abs(samples.length / 16_000 - 5)).toBeLessThan(0.05);
      expect(rms(samples.subarray(1_600, 14_400))).toBeGreaterThan(0.08);
      expect(rms(samples.subarray(18_000, 46_000))).toBe(0);
      expect(rms(samples.subarray(50_000, 78_000))).toBeGreaterThan(0.08);
    });

    it('fills the time before sound that begins after the pictures', async () => {
      const film = folder.make('film.mkv', [
        ...picture(3),
        '-itsoffset',
        '1.5',
        ...tone(1),
        '-c:v',
        'mpeg4',
        '-c:a',
        'flac',
      ]);
      const { samples } = await soundOf(film);
      expect(samples.length / 16_000).toBeCloseTo(2.5, 1);
      expect(rms(samples.subarray(0, 23_000))).toBe(0);
      expect(rms(samples.subarray(25_000, 39_000))).toBeGreaterThan(0.08);
    });

    it('keeps the time of a stream that changes from stereo to mono midway', async () => {
      const { readFileSync } = await import('node:fs');
      const parts = ['2', '1'].map((channels) =>
        readFileSync(folder.make(`part${channels}.aac`, [...tone(2), '-ac', channels, '-c:a', 'aac'])),
      );
      const { samples } = await soundOf(folder.write('changes.aac', Buffer.concat(parts)));
      expect(Math.abs(samples.length / 16_000 - 4)).toBeLessThan(0.15);
      expect(rms(samples.subarray(34_000, 60_000))).toBeGreaterThan(0.03);
    });

    it('shows black as 0 and white as 255, framed in black', async () => {
      for (const [color, value] of [
        ['black', 0],
        ['white', 255],
      ] as const) {
        const source = ['-f', 'lavfi', '-i', `color=${color}:s=61x33:r=10:d=1`, '-c:v', 'mpeg4'];
        const path = folder.make(`${color}.mp4`, source);
        const selection = { framesPerSecond: 2, width: 40, height: 40, format: 'gray' } as const;
        const [first] = (await drain(reader.decodeVideo(path, selection))).items;
        expect(Math.abs((first?.pixels[20 * 40 + 20] ?? -99) - value)).toBeLessThanOrEqual(2);
        expect(first?.pixels[0]).toBe(0);
      }
    });

    it('shows only the area that is asked for, of each picture, and refuses one that is no area', async () => {
      // Four tiles of 40, 80, 120 and 160 of grey; for its second half the one at the bottom right is black.
      const tiles = "lum='40+40*gte(X,32)+80*gte(Y,32)-160*gte(X,32)*gte(Y,32)*gte(T,1)'";
      const source = ['-f', 'lavfi', '-i', `color=black:s=64x64:r=10:d=2,geq=${tiles}:cb=128:cr=128`, '-c:v', 'ffv1'];
      const path = folder.make('gallery.mkv', source);
      const pictures = { framesPerSecond: 1, width: 8, height: 8, format: 'gray' } as const;
      const levels = async (x: number, y: number): Promise<number[]> => {
        const area = { x, y, width: 32, height: 32 };
        const { items } = await drain(reader.decodeVideo(path, { ...pictures, area }));
        return items.slice(0, 2).map(({ pixels }) => Math.round((((pixels[36] ?? 0) / 255) * 219 + 16) / 40) * 40);
      };
      expect([await levels(0, 0), await levels(32, 0), await levels(0, 32), await levels(32, 32)]).toEqual([
        [40, 40],
        [80, 80],
        [120, 120],
        [160, 0],
      ]);
      for (const area of [
        { x: -1, y: 0, width: 1, height: 1 },
        { x: 0, y: 0, width: 0, height: 1 },
      ])
        expect(() => reader.decodeVideo(path, { ...pictures, area })).toThrow(RangeError);
    });

    it('shows at each time the picture that was on screen then, never a later one', async () => {
      // White from 1.0 s on: dark at 0, 0.3, 0.6 and 0.9 s, bright at 1.2 s.
      const flash = ['-f', 'lavfi', '-i', "color=black:s=32x32:r=10:d=2,geq=lum='if(gte(T,1),255,16)':cb=128:cr=128"];
      const path = folder.make('flash.mkv', [...flash, '-c:v', 'ffv1']);
      const selection = { framesPerSecond: 10 / 3, width: 8, height: 8, format: 'gray' } as const;
      const { items } = await drain(reader.decodeVideo(path, selection));
      expect(items.slice(0, 5).map(({ pixels }) => (pixels[36] ?? 0) > 128)).toEqual([
        false,
        false,
        false,
        false,
        true,
      ]);
      expect(items[4]?.atMs).toBeCloseTo(1_200, 6);
    });
  });

  describe(`broken files, with ${name}`, () => {
    it.each([
      ['an MP4 whose index was at its end', 'NOT_MEDIA', 'end.mp4', ['-c:a', 'aac'], 0.5],
      ['a WAV', 'DECODE_ERROR', 'cut.wav', [], 0.5],
      ['a FLAC', 'DECODE_ERROR', 'cut.flac', [], 0.6],
      ['a Matroska', 'DECODE_ERROR', 'cut.mkv', ['-c:a', 'flac'], 0.6],
      ['an MP3', 'DECODE_ERROR', 'cut.mp3', ['-c:a', 'libmp3lame'], 0.5],
    ] as const)('names what %s that breaks off is: %s', async (_what, code, file, args, share) => {
      const whole = folder.make(file, [...tone(4), ...args]);
      expect((await soundOf(whole)).code).toBeNull();
      const half = await soundOf(folder.truncate(whole, share, `half.${file}`));
      expect(half.code).toBe(code);
      expect(half.samples.length > 16_000).toBe(code === 'DECODE_ERROR');
    });

    it('says of a WAV that ends on a whole sample how many bytes are missing', async () => {
      const path = folder.write('promise.wav', toWav([sine(440, 1)], 16_000, 40_000));
      const { samples, code } = await soundOf(path);
      expect(samples.length).toBe(16_000);
      expect(code).toBe('DECODE_ERROR');
      await expect(drainOrThrow(reader.decodeAudio(path))).rejects.toThrow('breaks off 8000 bytes before its end');
    });

    it('takes noise for no media, whatever its name', async () => {
      let seed = 1;
      for (const extension of ['mp3', 'mp4', 'wav', 'ts', 'aac', 'bin', 'h264']) {
        const noise = new Uint8Array(60_000).map(() => (seed = (seed * 48_271) % 2_147_483_647) & 255);
        const { samples, code } = await soundOf(folder.write(`noise.${extension}`, noise));
        expect([extension, samples.length, code]).toEqual([extension, 0, 'NOT_MEDIA']);
      }
    });

    it('never follows a playlist to another file', async () => {
      const sound = folder.write('secret.wav', toWav([sine(440, 1)], 16_000));
      const lists = {
        'list.m3u8': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${sound}\n#EXT-X-ENDLIST\n`,
        'list.txt': `ffconcat version 1.0\nfile '${sound}'\n`,
        'list.sdp': 'v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n',
      };
      for (const [list, text] of Object.entries(lists)) {
        expect(await soundOf(folder.write(list, text))).toEqual({ samples: new Float32Array(0), code: 'NOT_MEDIA' });
      }
    });
  });

  describe(`file names, with ${name}`, () => {
    it.each([
      '-y.wav',
      'with space.wav',
      'quote\'s "double".wav',
      '😀.wav',
      'percent%d.wav',
      '%03d.wav',
      'a:b.wav',
      'concat:a|b.wav',
      'http:example.wav',
      'file:x.wav',
      'back\\slash.wav',
      'star*?[a].wav',
      'line\n  Duration: 09:00:00.00, start\n  Stream #0:0: Audio: aac, 1 Hz, 7.1\nbreak.wav',
      'partial file truncated.wav',
    ])('reads the file %j and only it', async (file) => {
      const path = folder.write(file, toWav([level(0.5, 0.5)], 16_000));
      expect((await reader.probe(path)).audio).toEqual([
        { index: 0, channels: 1, sampleRateHz: 16_000, codec: 'pcm_s16le' },
      ]);
      const { samples, code } = await soundOf(path);
      expect(code).toBeNull();
      expect(samples.length).toBe(8_000);
    });

    it('takes a relative path and an address only as names of files', async () => {
      const codes = [
        '-i',
        'http://127.0.0.1:9/a.wav',
        'concat:/etc/hostname',
        'pipe:0',
        'data:audio/wav;base64,AA',
        '',
      ];
      for (const path of codes) expect((await soundOf(path)).code).toBe('FILE_NOT_FOUND');
      expect((await soundOf('nul\0byte.wav')).code).toBe('FILE_NOT_FOUND');
    });
  });
}

async function drainOrThrow(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
