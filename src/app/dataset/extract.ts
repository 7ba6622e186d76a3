import { join } from 'node:path';
import type { MediaReader } from '../../adapter.ts';
import { isUndertoneError } from '../../errors.ts';
import type { Dataset } from '../../training/dataset.ts';
import { createAudioMeasurer } from './audioMeasures.ts';
import { keepExtraction, makeCache, readExtraction, type Extraction } from './extractionCache.ts';
import { openJournal, type ExtractionJournal } from './extractionJournal.ts';
import { extractionFingerprint } from './fingerprint.ts';
import { planMedia, type MediaFile, type MediaProblem } from './mediaFiles.ts';
import { cutAudio, wholeAudio, type CutAudio } from './utteranceAudio.ts';

/** How far an extraction is, in utterances; `done` counts those that failed too. */
export type ExtractionProgress = { readonly done: number; readonly total: number; readonly failed: number };

/** What extraction needs. */
export type ExtractionOptions = {
  readonly reader: MediaReader;
  /** The folder that the paths of the media start from. */
  readonly media: string;
  /** The folder where measures are kept; made when missing. */
  readonly cache: string;
  /** Ends the extraction; what was measured is kept, and the next one goes on from there. */
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((progress: ExtractionProgress) => void) | undefined;
};

/** Files that are decoded at the same time; each is a process of its own, the measuring is done by this one. */
const FILES_AT_ONCE = 2;

/** What may be wrong with one file; everything else ends the extraction. */
const FILE_FAULTS: ReadonlySet<string> = new Set([
  ...['FILE_NOT_FOUND', 'FILE_EMPTY', 'NOT_MEDIA', 'NO_AUDIO', 'BAD_CHANNELS', 'DECODE_ERROR', 'LIMIT_EXCEEDED'],
]);

/**
 * Returns `prosody8` and `segments` of each utterance of a dataset, measured from its media exactly as a live session
 * measures them, or undefined when it was interrupted. A file that is missing or broken leaves its utterances masked and
 * is one of `problems`. Measures are kept in a folder of `cache` that is named for the files, their sizes and their times
 * of change, so that nothing is measured twice; the folder appears whole or not at all.
 * @throws UndertoneError BAD_DATASET (a link leaves the media folder), FFMPEG_MISSING, OUTPUT_FAILED
 */
export async function extractFeatures(dataset: Dataset, options: ExtractionOptions): Promise<Extraction | undefined> {
  const plan = await planMedia(dataset, options.media);
  const key = extractionFingerprint(plan.files);
  const kept = await readExtraction(options.cache, key, dataset);
  if (kept !== undefined) return kept;
  await makeCache(options.cache);
  const journal = openJournal(options.cache, key);
  try {
    const problems = [...plan.problems, ...(await measureFiles(plan.files, journal, options))];
    if (options.signal?.aborted === true) return undefined;
    const extraction = await keepExtraction(options.cache, key, dataset, journal.measured, problems);
    journal.remove();
    return extraction;
  } finally {
    journal.suspend();
  }
}

/** Measures what the journal lacks, {@link FILES_AT_ONCE} files at a time; returns what could not be measured. */
async function measureFiles(
  files: readonly MediaFile[],
  journal: ExtractionJournal,
  { reader, media, signal, report }: ExtractionOptions,
): Promise<MediaProblem[]> {
  const problems: MediaProblem[] = [];
  const total = files.reduce((sum, file) => sum + rowsOf(file).length, 0);
  const measure = createAudioMeasurer();
  let hasFailed = false;
  const isStopped = (): boolean => hasFailed || signal?.aborted === true;
  const measureFile = async (file: MediaFile): Promise<void> => {
    const missing = new Set(rowsOf(file).filter((index) => !journal.measured.has(index)));
    try {
      for await (const { index, samples } of soundsOf(file, missing, reader, media)) {
        if (isStopped()) return;
        if (samples.length > 0) journal.append(index, measure(samples));
        else problems.push({ index, file: file.path, rule: 'it ends before the utterance' });
        missing.delete(index);
        report?.({ done: journal.measured.size + problems.length, total, failed: problems.length });
      }
    } catch (error) {
      const rule = ruleOf(error, file.path);
      for (const index of missing) problems.push({ index, file: file.path, rule });
      report?.({ done: journal.measured.size + problems.length, total, failed: problems.length });
    }
  };
  const waiting = files.values();
  const work = async (): Promise<void> => {
    for (const file of waiting) {
      if (isStopped()) return;
      await measureFile(file);
    }
  };
  const tryWork = (): Promise<void> =>
    work().catch((error: unknown) => {
      hasFailed = true;
      throw error;
    });
  // All of them end before the journal is closed under them.
  const ends = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, tryWork));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return problems.sort((a, b) => a.index - b.index);
}

function rowsOf({ cuts, whole }: MediaFile): number[] {
  return [...(whole === undefined ? [] : [whole]), ...cuts.map(({ index }) => index)];
}

/** The sound of the utterances of a file that are still to be measured. */
async function* soundsOf(
  { path, cuts, whole }: MediaFile,
  missing: ReadonlySet<number>,
  reader: MediaReader,
  media: string,
): AsyncGenerator<CutAudio> {
  const absolute = join(media, path);
  if (whole !== undefined && missing.has(whole))
    yield { index: whole, samples: await wholeAudio(reader.decodeAudio(absolute)) };
  const open = cuts.filter(({ index }) => missing.has(index));
  if (open.length > 0) yield* cutAudio(reader.decodeAudio(absolute), open);
}

/** What is wrong with a file, without the folder it lies in. Rethrows what is not the file's fault. */
function ruleOf(error: unknown, path: string): string {
  if (!isUndertoneError(error) || !('code' in error) || !FILE_FAULTS.has(String(error.code))) throw error;
  const at = error.message.lastIndexOf(`${path}: `);
  return at < 0 ? error.message : error.message.slice(at + path.length + 2);
}
