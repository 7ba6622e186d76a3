import { SEVEN_EMOTIONS } from '../domain/labelSets.ts';
import { readBodyClips } from '../training/corpora/bodyClips.ts';
import { toBodyDataset } from '../training/corpora/bodyMotion.ts';
import { toPairingDataset } from '../training/corpora/bodyPairing.ts';
import { withFaceFrames } from '../training/corpora/faceStills.ts';
import { readTextCorpus } from '../training/corpora/textCorpus.ts';
import { readTextDialogues } from '../training/corpora/textDialogues.ts';
import type { Dataset } from '../training/dataset.ts';
import { neededSources, type Source } from '../training/sources.ts';
import type { TrainConfig } from '../training/trainConfig.ts';
import { ADAPTERS } from './adapters.ts';
import { createExtractionReport, summarizeNotes } from './dataset/extractionReport.ts';
import { defaultCache, loadDataset } from './dataset/loadDataset.ts';
import { findSources } from './findSources.ts';
import type { Terminal } from './terminal.ts';

/** How often each motion-capture clip is filmed, each time by another camera. */
const BODY_VARIANTS = 3;

/**
 * Reads the data that a configuration needs: features that a dataset lacks are extracted from its media or derived from
 * what it has; motion capture is filmed, and lends bodies by emotion under the name `<set>:emotion`; text corpora as
 * dialogues have the name `<corpus>:dialogues`. Returns `undefined` when it was interrupted.
 * @throws UndertoneError FILE_NOT_FOUND, BAD_DATASET, FFMPEG_MISSING
 */
export async function loadSources(
  folders: readonly string[],
  config: TrainConfig,
  terminal: Terminal,
): Promise<Map<string, Source> | undefined> {
  const wanted = config.inputs.map(({ name, feature }) => feature ?? name);
  const needed = neededSources(config);
  const sources = new Map<string, Source>();
  for (const [name, { kind, path }] of await findSources(folders)) {
    const isNeeded = needed ? needed.has(name) : kind === 'dataset';
    if (kind === 'texts' && isNeeded) sources.set(name, { kind, corpus: await readTextCorpus(path) });
    if (kind === 'texts' && needed?.has(`${name}:dialogues`))
      sources.set(`${name}:dialogues`, { kind: 'dataset', dataset: await readTextDialogues(path, SEVEN_EMOTIONS) });
    if (kind === 'dataset' && isNeeded) {
      const dataset = await readWithFeatures(path, wanted, terminal);
      if (!dataset) return undefined;
      sources.set(name, { kind, dataset });
    }
    if (kind !== 'motion' || !(isNeeded || needed?.has(`${name}:emotion`))) continue;
    const body = toBodyDataset(await readBodyClips(path), { seed: config.seed, variants: BODY_VARIANTS });
    sources.set(name, { kind: 'dataset', dataset: body.dataset });
    sources.set(`${name}:emotion`, { kind: 'dataset', dataset: toPairingDataset(body, SEVEN_EMOTIONS) });
  }
  return sources;
}

/**
 * Reads a dataset with the features that are wanted of it, as far as it has them, its media give them or they follow from
 * what it has; `undefined` when it was interrupted.
 */
export async function readWithFeatures(
  folder: string,
  wanted: readonly string[],
  { err, env, stop }: Pick<Terminal, 'env' | 'err' | 'stop'>,
): Promise<Dataset | undefined> {
  const loaded = await loadDataset(folder, {
    wanted,
    extract: ADAPTERS.media,
    cache: defaultCache(env),
    signal: stop,
    report: createExtractionReport(err, () => performance.now()),
  });
  if (!loaded) return undefined;
  for (const line of summarizeNotes(loaded.problems)) err.write(`${line}\n`);
  const { dataset } = loaded;
  return dataset.features.has('blendshapes') && !dataset.features.has('face') && wanted.includes('face')
    ? withFaceFrames(dataset)
    : dataset;
}
