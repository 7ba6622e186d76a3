import { rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UndertoneError } from '../../errors.ts';
import { readDataset, type Dataset } from '../../training/dataset.ts';
import { ADAPTERS } from '../adapters.ts';
import { EXTRACTED_FEATURES } from '../dataset/audioMeasures.ts';
import { createExtractionReport, summarizeNotes } from '../dataset/extractionReport.ts';
import { exists } from '../dataset/findFolder.ts';
import { readIemocap } from '../dataset/iemocap.ts';
import type { ImportedDataset } from '../dataset/importedDataset.ts';
import { LABELS_FILE, readLabels } from '../dataset/labelsCsv.ts';
import { completeDataset, defaultCache, type LoadedDataset } from '../dataset/loadDataset.ts';
import { readMeld } from '../dataset/meld.ts';
import { requireAbsent, temporaryOf, writeFolder } from '../dataset/outputFolder.ts';
import { writeDataset } from '../dataset/writeDataset.ts';
import { EXIT, type Terminal } from '../terminal.ts';

/** What `undertone dataset …` was asked for: where it reads, where it writes, and how. */
export type DatasetCommand = {
  /** The release, or the folder with `meta.json` or `labels.csv`. */
  readonly root: string;
  readonly out: string;
  /** The folder that paths of media start from, when it is not `root`. */
  readonly media?: string | undefined;
  readonly cache?: string | undefined;
  readonly strict: boolean;
};

/** Where a dataset comes from. */
export type DatasetSource = 'meld' | 'iemocap' | 'folder';

const READERS: Readonly<Record<DatasetSource, (root: string) => Promise<ImportedDataset>>> = {
  meld: readMeld,
  iemocap: readIemocap,
  folder: readFolder,
};

/**
 * Reads a release or a folder of media, measures its sound, and writes it as a dataset in format 1. Progress and notes go
 * to standard error, one JSON line about the result to standard output. Returns 0, or 130 when it was interrupted: then
 * nothing is written, and the same command goes on from what was measured.
 * @throws UndertoneError FILE_NOT_FOUND, BAD_DATASET, OUTPUT_FAILED (also when `out` is there already), FFMPEG_MISSING
 */
export async function runDataset(source: DatasetSource, command: DatasetCommand, terminal: Terminal): Promise<number> {
  const { root, strict } = command;
  const out = resolve(command.out);
  await requireAbsent(out);
  if (!(await exists(root))) throw new UndertoneError('FILE_NOT_FOUND', `${root}: there is no such folder`);
  const { dataset, notes } = await READERS[source](root);
  say(terminal, summarizeNotes(notes));
  const complete = await completeDataset(dataset, {
    wanted: EXTRACTED_FEATURES.map(({ name }) => name),
    extract: ADAPTERS.media,
    cache: command.cache ?? defaultCache(terminal.env),
    media: command.media ?? root,
    strict,
    signal: terminal.stop,
    report: createExtractionReport(terminal.err, () => performance.now()),
  });
  if (complete === undefined || terminal.stop.aborted) {
    say(terminal, ['stopped; nothing is written, and the same command goes on from what was measured']);
    return EXIT.interrupted;
  }
  say(terminal, summarizeNotes(complete.problems));
  if (hasVideo(dataset))
    say(terminal, ['face and body were not extracted: this build has no vision extractor for datasets']);
  terminal.onExit(() => rmSync(temporaryOf(out), { recursive: true, force: true }));
  await writeFolder(out, (folder) => writeDataset(folder, complete.dataset));
  terminal.out.write(`${JSON.stringify(toResult(command.out, complete))}\n`);
  return EXIT.done;
}

async function readFolder(root: string): Promise<ImportedDataset> {
  if (await exists(join(root, 'meta.json'))) return { dataset: await readDataset(root), notes: [] };
  if (await exists(join(root, LABELS_FILE))) return readLabels(root, basename(resolve(root)));
  throw new UndertoneError('BAD_DATASET', `dataset: ${root}: it has neither meta.json nor ${LABELS_FILE}`);
}

function say({ err }: Terminal, lines: readonly string[]): void {
  for (const line of lines) err.write(`${line}\n`);
}

function hasVideo({ dialogues }: Dataset): boolean {
  return dialogues.some(({ utterances }) => utterances.some(({ media }) => media?.video !== undefined));
}

function toResult(path: string, { dataset, problems }: LoadedDataset): object {
  const utterances = dataset.dialogues.flatMap((dialogue) => dialogue.utterances);
  const features: Record<string, number> = {};
  for (const [name, feature] of dataset.features)
    features[name] = utterances.filter(({ index }) => feature.rowsOf(index) !== undefined).length;
  return {
    type: 'dataset',
    path,
    name: dataset.name,
    dialogues: dataset.dialogues.length,
    utterances: utterances.length,
    labelled: utterances.filter(({ label }) => label !== undefined).length,
    features,
    problems: problems.length,
  };
}
