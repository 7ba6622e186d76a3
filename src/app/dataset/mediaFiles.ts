import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badDataset, isBelow } from '../../training/datasetMeta.ts';
import type { Dataset, LabelledUtterance } from '../../training/dataset.ts';
import { MAX_UTTERANCE_MS, type Cut } from './utteranceAudio.ts';

/**
 * A file with the sound of utterances: `cuts` are parts of it, `whole` the row of the utterance that it is the clip of.
 * `sizeBytes` and `changedMs` are -1 when it is not there.
 */
export type MediaFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly changedMs: number;
  readonly cuts: readonly Cut[];
  readonly whole: number | undefined;
};

/** An utterance that was not measured: its row, the file and the rule, never its text. */
export type MediaProblem = { readonly index: number; readonly file: string; readonly rule: string };

/** The files of a dataset, and the utterances that cannot be measured whatever is in them. */
export type MediaPlan = { readonly files: readonly MediaFile[]; readonly problems: readonly MediaProblem[] };

/**
 * Returns the files that hold the sound of a dataset's utterances, in the order of the utterances, with the parts to cut.
 * Times that are numbers cut; a file without times, or one that `clips` names, is one utterance from end to end.
 * @throws UndertoneError BAD_DATASET when a link leads out of the folder.
 */
export async function planMedia(dataset: Dataset, folder: string): Promise<MediaPlan> {
  const cuts = new Map<string, Cut[]>();
  const wholes = new Map<string, number>();
  const problems: MediaProblem[] = [];
  for (const utterance of dataset.dialogues.flatMap(({ utterances }) => utterances)) {
    const path = soundOf(utterance);
    if (path === undefined) continue;
    const { index } = utterance;
    const cut = cutOf(utterance);
    const rule =
      ruleOf(cut) ?? (cut === undefined && wholes.has(path) ? 'several utterances name it without times' : '');
    if (rule !== '') problems.push({ index, file: path, rule });
    else if (cut === undefined) wholes.set(path, index);
    else listOf(cuts, path).push(cut);
  }
  const files: MediaFile[] = [];
  for (const path of new Set([...wholes.keys(), ...cuts.keys()]))
    files.push({ path, ...(await look(folder, path)), cuts: cuts.get(path) ?? [], whole: wholes.get(path) });
  return { files, problems };
}

/** Returns whether any utterance of a dataset names a file with its sound. */
export function hasMedia(dataset: Dataset): boolean {
  return dataset.dialogues.some(({ utterances }) => utterances.some((u) => soundOf(u) !== undefined));
}

function listOf(lists: Map<string, Cut[]>, path: string): Cut[] {
  const list = lists.get(path) ?? [];
  lists.set(path, list);
  return list;
}

function soundOf({ media }: LabelledUtterance): string | undefined {
  return media?.audio ?? media?.video;
}

function cutOf({ index, media, start, end }: LabelledUtterance): Cut | undefined {
  if (media?.clips?.includes(media.audio === undefined ? 'video' : 'audio')) return undefined;
  if (typeof start !== 'number' || typeof end !== 'number') return undefined;
  return { index, startMs: start * 1000, endMs: end * 1000 };
}

function ruleOf(cut: Cut | undefined): string | undefined {
  if (cut === undefined) return undefined;
  if (!(cut.endMs > cut.startMs)) return 'an utterance ends before it starts';
  return cut.endMs - cut.startMs > MAX_UTTERANCE_MS ? 'an utterance is longer than 10 minutes' : undefined;
}

async function look(folder: string, path: string): Promise<Pick<MediaFile, 'sizeBytes' | 'changedMs'>> {
  try {
    const real = await realpath(join(folder, path));
    if (isBelow(await realpath(folder), real)) {
      const { size, mtimeMs } = await stat(real);
      return { sizeBytes: size, changedMs: Math.floor(mtimeMs) };
    }
  } catch {
    return { sizeBytes: -1, changedMs: -1 };
  }
  return badDataset(path, 'a symbolic link leaves the folder of the media');
}
