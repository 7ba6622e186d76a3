import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLIP_COLUMNS, readBodyClips } from '../../../src/training/corpora/bodyClips.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

type Meta = {
  fps: number;
  frames: number;
  sequences: { file: string; columns: string[] };
  clip: Record<string, unknown>[];
};

/** Two clips, of three frames and of two; the values count up from 0. */
async function writeMotion(change: (meta: Meta, values: Float32Array) => unknown = () => {}): Promise<string> {
  const folder = join(await newFolder(), 'body');
  const meta: Meta = {
    fps: 10,
    frames: 5,
    sequences: { file: 'sequences.f32', columns: [...CLIP_COLUMNS] },
    clip: [
      {
        file: 'a.bvh',
        content: 'bow',
        style: 'angry',
        batch: 1,
        emotion: 'angry',
        activation: 'hi',
        start: 0,
        frames: 3,
      },
      { file: 'b.bvh', content: 'bye', style: 'giant', batch: 0, emotion: null, activation: null, start: 3, frames: 2 },
    ],
  };
  const values = Float32Array.from({ length: 5 * CLIP_COLUMNS.length }, (_, i) => i);
  change(meta, values);
  await mkdir(folder);
  await writeFile(join(folder, 'meta.json'), JSON.stringify(meta));
  await writeFile(join(folder, 'sequences.f32'), new Uint8Array(values.buffer));
  return folder;
}

describe('readBodyClips', () => {
  it('cuts the file into clips and turns styles into our labels.', async () => {
    const [one, two] = await readBodyClips(await writeMotion());
    expect({ ...one, motion: [one!.motion[0], one!.motion.length] }).toEqual({
      file: 'a.bvh',
      content: 'bow',
      style: 'angry',
      batch: 1,
      emotion: 'anger',
      activation: 'high',
      frames: 3,
      motion: [0, 90],
    });
    expect([two!.emotion, two!.activation, two!.motion[0], two!.motion.length]).toEqual([undefined, undefined, 90, 60]);
  });

  it('knows the four emotions and the two activations.', async () => {
    for (const [given, read] of Object.entries({ angry: 'anger', happy: 'joy', sad: 'sadness', neutral: 'neutral' })) {
      const [clip] = await readBodyClips(await writeMotion((meta) => (meta.clip[0]!['emotion'] = given)));
      expect(clip!.emotion).toBe(read);
    }
    const [low] = await readBodyClips(await writeMotion((meta) => (meta.clip[0]!['activation'] = 'lo')));
    expect(low!.activation).toBe('low');
  });

  it.each<[string, (meta: Meta, values: Float32Array) => unknown, RegExp]>([
    [
      'a number of frames that does not fit the file',
      (meta) => (meta.frames = 6),
      /f32: it has 600 bytes, not 6 frames/,
    ],
    ['a clip that ends after the file', (meta) => (meta.clip[1]!['frames'] = 3), /clip 1 ends after the last frame/],
    ['a value that is not a number', (_, values) => (values[95] = NaN), /sequences.f32: clip 1 holds NaN or infinity/],
    ['an infinite value', (_, values) => (values[0] = -Infinity), /clip 0 holds NaN or infinity/],
    ['another order of columns', (meta) => meta.sequences.columns.reverse(), /sequences.columns: other columns/],
    ['another frame rate', (meta) => (meta.fps = 30), /meta.json: fps/],
    ['another file', (meta) => (meta.sequences.file = '../else.f32'), /meta.json: sequences.file/],
    ['an emotion that no style stands for', (meta) => (meta.clip[0]!['emotion'] = 'fear'), /clip.0.emotion/],
    ['an empty clip', (meta) => (meta.clip[0]!['frames'] = 0), /clip.0.frames/],
  ])('refuses %s.', async (_, change, rule) => {
    const folder = await writeMotion(change);
    await expect(readBodyClips(folder)).rejects.toThrow(rule);
    await expect(readBodyClips(folder)).rejects.toMatchObject({ code: 'BAD_DATASET' });
  });

  it('refuses a folder without one of the files, and a description that is not JSON.', async () => {
    const folder = await writeMotion();
    await writeFile(join(folder, 'meta.json'), (await readFile(join(folder, 'meta.json'))).subarray(1));
    await expect(readBodyClips(folder)).rejects.toThrow('body motion: meta.json: it is not JSON');
    for (const file of ['meta.json', 'sequences.f32']) {
      const other = await writeMotion();
      await rm(join(other, file));
      await expect(readBodyClips(other)).rejects.toMatchObject({ code: 'BAD_DATASET' });
    }
  });
});
