import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isUndertoneError } from '../../errors.ts';
import { readDataset, type Dataset, type Feature } from '../../training/dataset.ts';
import { EXTRACTED_FEATURES, type AudioMeasures } from './audioMeasures.ts';
import type { MediaProblem } from './mediaFiles.ts';
import { outputFailed, writeFolder } from './outputFolder.ts';
import { writeDataset } from './writeDataset.ts';

/** The features of a dataset's sound, and which utterances have none because of their file. */
export type Extraction = {
  readonly features: ReadonlyMap<string, Feature>;
  readonly problems: readonly MediaProblem[];
  /** The folder in format 1 that holds them. */
  readonly folder: string;
  /** Whether nothing had to be measured. */
  readonly wasCached: boolean;
};

const PROBLEMS_FILE = 'problems.json';
const Problems = z.array(z.object({ index: z.number(), file: z.string(), rule: z.string() }));

/** Returns the extraction that is kept under a key, or undefined when there is none; a damaged one is removed. */
export async function readExtraction(cache: string, key: string, dataset: Dataset): Promise<Extraction | undefined> {
  const folder = join(cache, key);
  try {
    const text = await readFile(join(folder, PROBLEMS_FILE), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const kept = await readDataset(folder);
    if (countUtterances(kept) === countUtterances(dataset))
      return { features: kept.features, problems: Problems.parse(JSON.parse(text)), folder, wasCached: true };
  } catch (error) {
    if (!isUndertoneError(error) && !(error instanceof z.ZodError) && !(error instanceof SyntaxError)) throw error;
  }
  await rm(folder, { recursive: true, force: true });
  return undefined;
}

/**
 * Writes what was measured of a dataset under a key, without its texts and speakers, and returns it as it reads back. When
 * another process was faster its folder is used.
 * @throws UndertoneError OUTPUT_FAILED
 */
export async function keepExtraction(
  cache: string,
  key: string,
  dataset: Dataset,
  measured: ReadonlyMap<number, AudioMeasures>,
  problems: readonly MediaProblem[],
): Promise<Extraction> {
  const folder = join(cache, key);
  const write = async (temporary: string): Promise<void> => {
    await writeDataset(temporary, toExtracted(dataset, measured));
    await writeFile(join(temporary, PROBLEMS_FILE), `${JSON.stringify(problems)}\n`);
  };
  try {
    await writeFolder(folder, write);
  } catch (error) {
    const kept = await readExtraction(cache, key, dataset);
    if (kept === undefined) throw error;
  }
  const { features } = await readDataset(folder);
  return { features, problems, folder, wasCached: false };
}

/** Makes the cache folder. @throws UndertoneError OUTPUT_FAILED */
export async function makeCache(cache: string): Promise<void> {
  await mkdir(cache, { recursive: true }).catch((cause: unknown) => {
    throw outputFailed(cache, cause);
  });
}

function toExtracted(dataset: Dataset, measured: ReadonlyMap<number, AudioMeasures>): Dataset {
  const features = EXTRACTED_FEATURES.map(({ name, kind, columns }): [string, Feature] => {
    const rowsOf = (index: number): Float32Array | undefined => {
      const rows = measured.get(index)?.[name];
      return rows && rows.length > 0 ? rows : undefined;
    };
    return [name, { name, modality: 'audio', kind, dim: columns.length, columns, rowsOf }];
  });
  const dialogues = dataset.dialogues.map(({ id, split, utterances }) => ({
    id,
    split,
    utterances: utterances.map((u) => ({ index: u.index, id: u.id, speaker: '', label: undefined, text: undefined })),
  }));
  return { name: dataset.name, labels: dataset.labels, dialogues, features: new Map(features) };
}

function countUtterances({ dialogues }: Dataset): number {
  return dialogues.reduce((sum, { utterances }) => sum + utterances.length, 0);
}
