import { isAbsolute, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { MODALITIES, type Modality } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';

/** How `meta.json` describes one feature. */
export type FeatureDescription = {
  readonly modality: Modality;
  readonly kind: 'vector' | 'sequence';
  readonly dim: number;
  readonly file: string;
  readonly mask?: string | undefined;
  readonly offsets?: string | undefined;
  readonly columns?: string[] | undefined;
};

/** How `meta.json` describes one utterance. */
export type UtteranceDescription = {
  readonly id: string;
  readonly speaker: string;
  readonly label: string | null;
  readonly text?: string | undefined;
  readonly start?: number | string | undefined;
  readonly end?: number | string | undefined;
  readonly sourceLabel?: string | undefined;
  readonly media?:
    | {
        readonly audio?: string | undefined;
        readonly video?: string | undefined;
        readonly clips?: ('audio' | 'video')[] | undefined;
      }
    | undefined;
};

/** What `meta.json` holds, as far as it is used. */
export type DatasetMeta = {
  readonly format: 1;
  readonly name: string;
  readonly labels: readonly string[];
  readonly source?: string | undefined;
  readonly features: Readonly<Record<string, FeatureDescription>>;
  readonly dialogues: readonly {
    readonly id: string;
    readonly split: string;
    readonly utterances: readonly UtteranceDescription[];
  }[];
};

const Media = z.object({
  audio: z.string().optional(),
  video: z.string().optional(),
  clips: z.array(z.enum(['audio', 'video'])).optional(),
});

const Time = z.union([z.number().nonnegative(), z.string()]);

const FeatureMeta: z.ZodType<FeatureDescription> = z.object({
  modality: z.enum(MODALITIES),
  kind: z.enum(['vector', 'sequence']),
  dim: z.number().int().positive(),
  file: z.string(),
  mask: z.string().optional(),
  offsets: z.string().optional(),
  columns: z.array(z.string()).optional().catch(undefined),
});

const Meta: z.ZodType<DatasetMeta> = z.object({
  format: z.literal(1),
  name: z.string(),
  labels: z
    .array(z.string().min(1))
    .min(2)
    .refine((labels) => new Set(labels).size === labels.length, 'a label occurs twice'),
  source: z.string().optional().catch(undefined),
  features: z.record(z.string(), FeatureMeta),
  dialogues: z.array(
    z.object({
      id: z.string(),
      split: z.string(),
      utterances: z.array(
        z.object({
          id: z.string(),
          speaker: z.string(),
          label: z.string().nullable(),
          text: z.string().optional(),
          start: Time.optional(),
          end: Time.optional(),
          sourceLabel: z.string().optional().catch(undefined),
          media: Media.optional(),
        }),
      ),
    }),
  ),
});

/**
 * Returns what the bytes of a `meta.json` say, checked against the schema; no path of a media file leaves the folder.
 * @throws UndertoneError BAD_DATASET with the field and the rule
 */
export function parseMeta(bytes: Uint8Array): DatasetMeta {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return badDataset('meta.json', 'it is not JSON');
  }
  const parsed = Meta.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return badDataset('meta.json', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
  }
  for (const { id, utterances } of parsed.data.dialogues)
    for (const { id: utterance, media } of utterances)
      for (const path of [media?.audio, media?.video])
        if (path !== undefined && !isPathInside(path))
          badDataset('meta.json', `utterance ${id}/${utterance}: the path of its media leaves the folder`);
  return parsed.data;
}

/** Returns whether a path is relative and stays below the folder it starts from; links are not looked at. */
export function isPathInside(path: string): boolean {
  // From a made-up folder: nothing lies above "/", so nothing could leave that.
  const base = resolve('dataset');
  return !isAbsolute(path) && isBelow(base, resolve(base, path));
}

/** Returns whether one absolute path lies below another; links are not looked at. */
export function isBelow(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** Stops because a dataset breaks a rule. @throws UndertoneError BAD_DATASET, always */
export function badDataset(file: string, rule: string): never {
  throw new UndertoneError('BAD_DATASET', `dataset: ${file}: ${rule}`);
}
