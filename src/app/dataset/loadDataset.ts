import { homedir } from 'node:os';
import { join } from 'node:path';
import type { MediaReader } from '../../adapter.ts';
import { readDataset, type Dataset, type Feature } from '../../training/dataset.ts';
import { badDataset } from '../../training/datasetMeta.ts';
import { EXTRACTED_FEATURES } from './audioMeasures.ts';
import { extractFeatures, type ExtractionProgress } from './extract.ts';
import { hasMedia, type MediaProblem } from './mediaFiles.ts';

/** How a dataset is loaded. */
export type LoadOptions = {
  /** Names of features, or of inputs of weights, that the caller would use; text needs none. */
  readonly wanted: readonly string[];
  /** Opens the reader of media, once, when something has to be extracted. */
  readonly extract: () => Promise<MediaReader>;
  /** Where measures are kept between runs; see {@link defaultCache}. */
  readonly cache: string;
  /** The folder that the paths of the media start from, when it is not the dataset's. */
  readonly media?: string | undefined;
  /** Stop when a file is missing or broken, instead of leaving its utterances masked. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ((progress: ExtractionProgress) => void) | undefined;
};

/** A dataset with the features that were wanted, as far as it has them or its media give them. */
export type LoadedDataset = {
  readonly dataset: Dataset;
  /** What could not be measured, by file and rule. */
  readonly problems: readonly MediaProblem[];
  /** Names of the features that were extracted, or taken from the cache. */
  readonly extracted: readonly string[];
};

/**
 * Reads a dataset in format 1 and, where a wanted feature is absent and its utterances name media, extracts it. What the
 * dataset itself has is never replaced. Returns undefined when it was interrupted; the next call goes on from there.
 * @throws UndertoneError BAD_DATASET (also for problems, when `strict`), FFMPEG_MISSING, OUTPUT_FAILED
 */
export async function loadDataset(folder: string, options: LoadOptions): Promise<LoadedDataset | undefined> {
  return completeDataset(await readDataset(folder), { ...options, media: options.media ?? folder });
}

/** Returns a dataset with the wanted features that its media give; {@link loadDataset} once the dataset is read. */
export async function completeDataset(
  dataset: Dataset,
  options: LoadOptions & { readonly media: string },
): Promise<LoadedDataset | undefined> {
  const { wanted, strict = false, media, cache, signal, report } = options;
  const names = EXTRACTED_FEATURES.map(({ name }) => name).filter((name) => isMissing(dataset, name, wanted));
  if (names.length === 0 || !hasMedia(dataset)) return { dataset, problems: [], extracted: [] };
  const reader = await options.extract();
  const extraction = await extractFeatures(dataset, { reader, media, cache, signal, report });
  if (extraction === undefined) return undefined;
  const { features, problems } = extraction;
  if (strict && problems[0] !== undefined) badDataset(problems[0].file, problems[0].rule);
  return { dataset: withFeatures(dataset, names, features), problems, extracted: names };
}

/** Returns the folder where measures are kept unless another is named: of the user, below XDG_CACHE_HOME or ~/.cache. */
export function defaultCache(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'undertone', 'features');
}

/** Weights call their prosody `prosody`; in datasets it is `prosody8`. */
function isMissing(dataset: Dataset, name: string, wanted: readonly string[]): boolean {
  const names = name === 'prosody8' ? [name, 'prosody'] : [name];
  return names.some((n) => wanted.includes(n)) && !names.some((n) => dataset.features.has(n));
}

/**
 * Adds extracted features. As in a live session (collectEvidence), sound whose prosody cannot be measured gives no
 * segments either where both are wanted.
 */
function withFeatures(dataset: Dataset, names: readonly string[], extracted: ReadonlyMap<string, Feature>): Dataset {
  const features = new Map(dataset.features);
  const prosody = names.includes('prosody8') ? extracted.get('prosody8') : undefined;
  for (const name of names) {
    const feature = extracted.get(name);
    if (feature === undefined) continue;
    const rowsOf = (u: number): Float32Array | undefined =>
      prosody && prosody.rowsOf(u) === undefined ? undefined : feature.rowsOf(u);
    features.set(name, { ...feature, rowsOf });
  }
  return { ...dataset, features };
}
