import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toWav } from './mediaFiles.ts';

/** `seconds` of something like a voice at 16 kHz: a buzz of `pitchHz` that rises and falls four times a second. */
export function voiceLike(seconds: number, pitchHz = 150, rateHz = 16_000): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * rateHz) }, (_, i) => {
    const t = i / rateHz;
    const pulse = ((t * pitchHz) % 1) ** 4 - 0.2;
    return 0.5 * pulse * (0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * t));
  });
}

/** One utterance in `meta.json`, as it is written there. */
export type MetaUtterance = {
  readonly id: string;
  readonly speaker?: string;
  readonly label?: string | null;
  readonly text?: string;
  readonly start?: number | string;
  readonly end?: number | string;
  readonly media?: Readonly<Record<string, unknown>>;
};

/** Writes a dataset in format 1 without features: one dialogue per list of utterances, in the split `train`. */
export async function writeMeta(folder: string, dialogues: readonly (readonly MetaUtterance[])[]): Promise<string> {
  await writeBytes(
    folder,
    'meta.json',
    JSON.stringify({
      format: 1,
      name: 'calls',
      labels: ['calm', 'glad'],
      features: {},
      dialogues: dialogues.map((utterances, d) => ({
        id: `d${d}`,
        split: 'train',
        utterances: utterances.map((u) => ({ speaker: 'Ada', label: 'calm', ...u })),
      })),
    }),
  );
  return folder;
}

/** Writes a mono WAV file, or the first `bytes` of it. */
export async function writeWav(folder: string, name: string, samples: Float32Array, bytes?: number): Promise<void> {
  await writeBytes(folder, name, toWav([samples], 16_000).subarray(0, bytes));
}

/** Writes a file below a folder, with the folders it needs. */
export async function writeBytes(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}
