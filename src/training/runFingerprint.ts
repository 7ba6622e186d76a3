import { createHash, type Hash } from 'node:crypto';
import type { ModelConfig } from '../model/config.ts';
import type { Weights } from '../model/weights.ts';
import { fingerprint } from './checkpoint.ts';
import type { GlobalStatistics } from './prepare.ts';
import type { Source, Sources } from './sources.ts';
import type { TrainConfig } from './trainConfig.ts';

/** What decides how a training goes. */
export type RunInputs = {
  readonly config: TrainConfig;
  readonly model: ModelConfig;
  readonly sources: Sources;
  /** Of every input: they change when the features do. */
  readonly statistics: GlobalStatistics;
  readonly start?: Weights | undefined;
};

/**
 * Returns 16 hex digits that differ when two trainings could: by configuration, seed, network, the texts, speakers and
 * labels of any source, the normalisation of any input, or the weights that training starts from. A checkpoint carries it.
 */
export function runFingerprint({ config, model, sources, statistics, start }: RunInputs): string {
  return fingerprint(
    config,
    model,
    [...sources].map(([name, source]) => [name, sourceDigest(source)]),
    [...statistics].map(([name, { mean, scale }]) => [name, ...[mean, scale].map((values) => [...values])]),
    start && [start.config, valuesDigest(start.values)],
  );
}

function sourceDigest(source: Source): string {
  const hash = createHash('sha256');
  if (source.kind === 'texts') {
    const { target, names, rows } = source.corpus;
    addLine(hash, [target, names]);
    for (const row of rows) addLine(hash, [row.text, row.split, row.target]);
  } else {
    const { labels, dialogues, features } = source.dataset;
    addLine(hash, [labels, [...features.values()].map(({ name, kind, dim }) => [name, kind, dim])]);
    for (const { id, split, utterances } of dialogues)
      addLine(hash, [id, split, utterances.map((u) => [u.id, u.speaker, u.label, u.text])]);
  }
  return hash.digest('hex');
}

function valuesDigest(values: ReadonlyMap<string, Float32Array>): string {
  const hash = createHash('sha256');
  for (const [name, { buffer, byteOffset, byteLength, length }] of values) {
    addLine(hash, [name, length]);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

function addLine(hash: Hash, parts: readonly unknown[]): void {
  hash.update(`${JSON.stringify(parts)}\n`);
}
