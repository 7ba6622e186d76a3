import { fileURLToPath } from 'node:url';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import type { Picture } from '../../src/adapter.ts';

/** One picture of a video: pixels, which the reader may use again for the next. */
export type PixelPicture = Extract<Picture, { rgba: Uint8Array }>;

/** Yields the pictures of a participant of the bundled call at 10 a second, in their own size unless told. */
export async function* callVideo(
  name: 'ada' | 'ben',
  { width = 320, height = 240, endMs = Infinity }: { width?: number; height?: number; endMs?: number } = {},
): AsyncGenerator<PixelPicture> {
  const path = fileURLToPath(new URL(`../../fixtures/call/${name}.mp4`, import.meta.url));
  const selection = { framesPerSecond: 10, width, height, format: 'rgba' } as const;
  for await (const frame of createFfmpegReader().decodeVideo(path, selection)) {
    if (frame.atMs >= endMs) return;
    yield { atMs: frame.atMs, width: frame.width, height: frame.height, rgba: frame.pixels };
  }
}

/** The first picture of Ada's video, as a copy. */
export async function firstPicture(): Promise<PixelPicture> {
  for await (const picture of callVideo('ada')) return { ...picture, rgba: picture.rgba.slice() };
  throw new Error('the bundled call has no picture');
}
