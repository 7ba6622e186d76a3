import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UndertoneError } from '../../errors.ts';

/** The emotion labels that an acted style stands for; other styles have none. */
export type BodyEmotion = 'anger' | 'joy' | 'sadness' | 'neutral';

/**
 * One motion-capture clip at {@link CLIP_HZ}. `motion` is row-major `[frames, CLIP_COLUMNS.length]`. `activation` is a
 * grouping of acted styles, not an annotation. `batch` is the recording batch, the nearest thing to a performer.
 */
export type BodyClip = {
  readonly file: string;
  readonly content: string;
  readonly style: string;
  readonly batch: number;
  readonly emotion: BodyEmotion | undefined;
  readonly activation: 'low' | 'high' | undefined;
  readonly frames: number;
  readonly motion: Float32Array;
};

/** Frames per second of a clip. */
export const CLIP_HZ = 10;

const POINTS = [
  'head',
  'shoulder_L',
  'shoulder_R',
  'elbow_L',
  'elbow_R',
  'wrist_L',
  'wrist_R',
  'hip_L',
  'hip_R',
  'root',
] as const;

/**
 * The columns of a clip: `_x` (to the person's left), `_y` (down) and `_z` (away from the camera) of nine joints, in
 * shoulder widths from the middle of the shoulders, and of `root`, that middle itself, from its mean over the clip.
 */
export const CLIP_COLUMNS: readonly string[] = POINTS.flatMap((point) => [`${point}_x`, `${point}_y`, `${point}_z`]);

const SEQUENCES = 'sequences.f32';
const count = z.number().int().nonnegative();
const Meta = z.object({
  fps: z.literal(CLIP_HZ),
  frames: count,
  sequences: z.object({
    file: z.literal(SEQUENCES),
    columns: z.array(z.string()).refine((columns) => columns.join() === CLIP_COLUMNS.join(), 'other columns'),
  }),
  clip: z.array(
    z.object({
      file: z.string(),
      content: z.string(),
      style: z.string(),
      batch: count,
      emotion: z.enum(['angry', 'happy', 'sad', 'neutral']).nullable(),
      activation: z.enum(['hi', 'lo']).nullable(),
      start: count,
      frames: z.number().int().positive(),
    }),
  ),
});

const EMOTIONS = { angry: 'anger', happy: 'joy', sad: 'sadness', neutral: 'neutral' } as const;
const ACTIVATIONS = { hi: 'high', lo: 'low' } as const;

/**
 * Reads a folder of upper-body motion: `meta.json` and `sequences.f32` (little-endian 32-bit floats). Everything is checked.
 * @throws UndertoneError BAD_DATASET with the file, the clip and the rule
 */
export async function readBodyClips(folder: string): Promise<readonly BodyClip[]> {
  const meta = parseMeta(await readInside(folder, 'meta.json'));
  const bytes = await readInside(folder, SEQUENCES);
  const columns = CLIP_COLUMNS.length;
  if (bytes.length !== meta.frames * columns * 4)
    fail(SEQUENCES, `it has ${bytes.length} bytes, not ${meta.frames} frames of ${columns} 32-bit floats`);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return meta.clip.map(({ emotion, activation, start, ...clip }, i) => {
    if (start + clip.frames > meta.frames) fail('meta.json', `clip ${i} ends after the last frame`);
    const motion = values.subarray(start * columns, (start + clip.frames) * columns);
    if (!motion.every(Number.isFinite)) fail(SEQUENCES, `clip ${i} holds NaN or infinity`);
    return {
      ...clip,
      emotion: emotion === null ? undefined : EMOTIONS[emotion],
      activation: activation === null ? undefined : ACTIVATIONS[activation],
      motion,
    };
  });
}

function parseMeta(bytes: Uint8Array): z.infer<typeof Meta> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return fail('meta.json', 'it is not JSON');
  }
  const parsed = Meta.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return fail('meta.json', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

async function readInside(folder: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, file));
  } catch (cause) {
    throw new UndertoneError('BAD_DATASET', `body motion: ${file}: it cannot be read from ${folder}`, { cause });
  }
}

function fail(file: string, rule: string): never {
  throw new UndertoneError('BAD_DATASET', `body motion: ${file}: ${rule}`);
}
