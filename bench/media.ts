import { createFfmpegReader } from '../adapters/media/ffmpeg/createFfmpegReader.ts';
import { findFfmpeg, type FfmpegBinary } from '../adapters/media/ffmpeg/findFfmpeg.ts';
import { createMediaFolder, picture, tone } from '../test/support/mediaFiles.ts';

const SECONDS = 120;

/** Prints what decoding costs with each ffmpeg that is found: ms per second of media, times real time, peak memory. */
export async function benchMedia(): Promise<void> {
  const folder = createMediaFolder();
  try {
    const sound = folder.make('sound.mp3', [...tone(SECONDS), '-ac', '2', '-c:a', 'libmp3lame']);
    const call = folder.make('call.wav', [...tone(SECONDS, 16_000)]);
    const film = folder.make('film.mp4', [...picture(SECONDS, '640x360'), '-c:v', 'mpeg4']);
    for (const binary of binaries()) {
      console.log(`ffmpeg ${binary.version} (${binary.source})`);
      const reader = createFfmpegReader({ binary });
      await report('probe', 1, async () => void (await reader.probe(sound)));
      await report('audio, 16 kHz mono WAV', SECONDS, () => drain(reader.decodeAudio(call)));
      await report('audio, 44.1 kHz stereo MP3', SECONDS, () => drain(reader.decodeAudio(sound)));
      const selection = { framesPerSecond: 5, width: 96, height: 54, format: 'gray' } as const;
      await report('video, 640x360 to 96x54 gray at 5 fps', SECONDS, () => drain(reader.decodeVideo(film, selection)));
    }
  } finally {
    folder.remove();
  }
}

function binaries(): FfmpegBinary[] {
  const [first, installed] = [findFfmpeg({ PATH: process.env['PATH'] }), findFfmpeg({})];
  return first.path === installed.path ? [first] : [first, installed];
}

async function report(what: string, seconds: number, run: () => Promise<void>): Promise<void> {
  await run();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
  const figure =
    seconds === 1
      ? `${ms.toFixed(0)} ms`
      : `${(ms / seconds).toFixed(2)} ms/s, ${Math.round((seconds * 1_000) / ms)} × real time`;
  console.log(`  ${what.padEnd(40)} ${figure} (node: ${megabytes} MB)`);
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

if (process.argv[1]?.includes('media')) await benchMedia();
