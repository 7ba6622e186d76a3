import { encode } from 'jpeg-js';
import { fileURLToPath } from 'node:url';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import type { StreamDeclaration } from '../../src/protocol/live.ts';
import { callVideo } from './callVideo.ts';
import { PCM } from './liveServer.ts';

/** 100 ms of a participant of the bundled call as a producer sends it: sound, and the picture shown at its beginning, if any. */
export type CallMoment = { readonly atMs: number; readonly pcm: Uint8Array; readonly jpeg?: Uint8Array | undefined };

/** The streams of a microphone and a camera of one participant, numbered from `number` on. */
export function microphoneAndCamera(participant: string, number = 0): readonly StreamDeclaration[] {
  return [
    { streamId: `mic-${participant}`, number, participant, kind: 'audio', format: PCM },
    { streamId: `cam-${participant}`, number: number + 1, participant, kind: 'video' },
  ];
}

/**
 * Returns what a participant of the bundled call says and shows until `endMs`: PCM16 at 16 kHz, and every so-manieth picture of
 * 10 a second as a JPEG of 320 × 240.
 */
export async function callMoments(
  name: 'ada' | 'ben',
  { endMs = Infinity, every = 1 }: { readonly endMs?: number; readonly every?: number } = {},
): Promise<readonly CallMoment[]> {
  const path = fileURLToPath(new URL(`../../fixtures/call/${name}.mp4`, import.meta.url));
  const jpegs: (Uint8Array | undefined)[] = [];
  for await (const { width, height, rgba } of callVideo(name, { endMs }))
    jpegs.push(jpegs.length % every === 0 ? encode({ width, height, data: rgba }, 80).data : undefined);
  const moments: CallMoment[] = [];
  for await (const { startMs, samples } of createFfmpegReader().decodeAudio(path)) {
    const jpeg = jpegs[moments.length];
    if (moments.length === jpegs.length) break;
    const pcm = new Uint8Array(Int16Array.from(samples, (value) => Math.round(value * 32_767)).buffer);
    moments.push({ atMs: startMs, pcm, jpeg });
  }
  return moments;
}
