import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { packageRoot } from '../../src/app/packageRoot.ts';

/** Samples of a frame of 20 ms, and its length. */
export const AUDIO_FRAME = { samples: 320, ms: 20 } as const;
/** Landmark rows come so often. */
export const ROW_MS = 100;

/** What a speaker of the bundled call says, when, and whether the captions have it. */
export type Line = {
  readonly speaker: string;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly isCaptioned: boolean;
};
type Script = { readonly durationMs: number; readonly utterances: readonly Line[] };

/** One participant of the bundled call: what they say, and its sound as PCM16 of 16 kHz, as long as the call. */
export type Part = { readonly name: string; readonly lines: readonly Line[]; readonly pcm: Uint8Array };

/** The bundled call, to be played in a circle. */
export type CallMedia = { readonly durationMs: number; readonly parts: readonly Part[] };

/** Reads the bundled call. */
export async function loadCallMedia(): Promise<CallMedia> {
  const folder = join(packageRoot(), 'fixtures', 'call');
  const { durationMs, utterances } = JSON.parse(await readFile(join(folder, 'call.json'), 'utf8')) as Script;
  const parts = await Promise.all(
    ['Ada', 'Ben'].map(async (name) => ({
      name,
      lines: utterances.filter(({ speaker }) => speaker === name),
      pcm: await readPcm16(join(folder, `${name.toLowerCase()}.mp4`), durationMs * 16),
    })),
  );
  return { durationMs, parts };
}

async function readPcm16(path: string, samples: number): Promise<Uint8Array> {
  const pcm = new Int16Array(samples);
  let at = 0;
  for await (const block of createFfmpegReader().decodeAudio(path))
    for (const sample of block.samples) if (at < samples) pcm[at++] = Math.round(sample * 32_767);
  return new Uint8Array(pcm.buffer);
}

/** A row of a face (52 numbers) or a body (28) in slow movement, of somebody who is there. */
export function landmarkRow(width: 52 | 28, atMs: number): Uint8Array {
  const row = Float32Array.from({ length: width }, (_, i) => 0.3 + 0.2 * Math.sin(atMs / (900 + 70 * i) + i));
  row[width - 1] = 1;
  return new Uint8Array(row.buffer);
}
