import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { UndertoneError } from '../../errors.ts';
import type { Weights } from '../../model/weights.ts';
import type { Dataset } from '../dataset.ts';
import {
  EVALUATION_SEED,
  hiddenShare,
  hideAllBut,
  MISSING_RATES,
  type RateMasks,
  shuffleSpeakers,
  subsetsOf,
} from './hiddenModalities.ts';
import {
  type ComparedRow,
  type Evaluation,
  type EvaluationAblation,
  LOOK_AHEADS,
  type OtherResult,
  type RateResult,
  type SubsetResult,
} from './result.ts';
import { compare, createRunner, type Measured, type Runner, type RunnerOptions } from './runner.ts';
import { type EvaluatedSplit, readSplit } from './split.ts';
import { computeMetrics, type Outcome } from '../metrics.ts';

/** What is measured beside the main figures. */
export type EvaluateOptions = {
  /** The modalities the network is given; all by default. */
  readonly shown?: readonly Modality[];
  readonly lookAheads?: readonly number[];
  /** Every non-empty subset of what is shown and there, masked and zero-filled. */
  readonly subsets?: boolean;
  /** Measure missing rates with the masks this gives for the split. */
  readonly rateMasks?: ((split: EvaluatedSplit, shown: readonly Modality[]) => RateMasks) | undefined;
  readonly ablations?: readonly EvaluationAblation[];
  readonly shuffleSpeakers?: boolean;
  /** Other weights, with the same labels, to compare with. */
  readonly others?: readonly Weights[];
  /** Told after every dialogue how many classifications of how many are done. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly isStopped?: () => boolean;
};

/**
 * Measures weights on a split. All figures come from the very path that serves live sessions; variants are compared with
 * the main figures in pairs, over the same resamples of dialogues.
 * @throws UndertoneError BAD_DATASET when split, labels or features do not fit the weights
 * @throws StoppedError when it was told to stop
 * @throws UndertoneError BAD_OPTION when a part is to be left out that the split does not have
 */
export async function evaluate(
  weights: Weights,
  dataset: Dataset,
  splitName: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const split = readSplit(weights.config, dataset, splitName);
  const shown = options.shown ?? MODALITIES;
  const present = split.modalities.filter((modality) => shown.includes(modality));
  checkAblations(options.ablations ?? [], present);
  const others = options.others?.map((own) => ({ weights: own, split: readSplit(own.config, dataset, splitName) }));
  const control: RunnerOptions = {
    lookAheads: options.lookAheads ?? LOOK_AHEADS,
    advance: countUp(countPasses(options, present), split, options),
    isStopped: options.isStopped ?? (() => false),
  };
  const run = createRunner(weights, split, control);
  const scene: Scene = { run, split, present, base: { hidden: hideAllBut(split, shown) } };
  const main = await run(scene.base);
  return {
    dataset: dataset.name,
    split: splitName,
    labels: split.labels,
    shown,
    present,
    sources: split.sources,
    dialogues: split.dialogues.length,
    utterances: main.truths.length,
    floor: commonestFloor(main.truths, split.labels.length),
    rows: main.rows,
    ...(options.subsets === true && { subsets: await measureSubsets(scene, main) }),
    ...(options.rateMasks && { rates: await measureRates(scene, main, options.rateMasks(split, shown)) }),
    ...(options.ablations && { ablations: await measureAblations(scene, main, options.ablations) }),
    ...(options.shuffleSpeakers === true && { shuffledSpeakers: await measureShuffled(scene, main) }),
    ...(others && { others: await measureOthers(scene, main, others, control) }),
  };
}

/** What is measured, and how: `base` shows everything that may be shown. */
type Scene = {
  readonly run: Runner;
  readonly split: EvaluatedSplit;
  readonly present: readonly Modality[];
  readonly base: { readonly hidden: ReturnType<typeof hideAllBut> };
};

async function measureSubsets({ run, split, present }: Scene, main: Measured): Promise<SubsetResult[]> {
  const results: SubsetResult[] = [];
  for (const kept of subsetsOf(present)) {
    if (kept.length === present.length) {
      results.push({ shown: kept, rows: compare(main, main) });
      continue;
    }
    const hidden = hideAllBut(split, kept);
    const masked = await run({ hidden });
    // Only what may be shown is claimed to be there: what is left out by choice is not part of the comparison.
    const zeros = await run({ hidden, fill: { kind: 'zeros', of: present } });
    results.push({ shown: kept, rows: compare(masked, main), zeroFilled: compare(zeros, masked) });
  }
  return results;
}

async function measureRates(
  { run, split, present, base }: Scene,
  main: Measured,
  { seed, rates }: RateMasks,
): Promise<{ seed: number; results: RateResult[] }> {
  const results: RateResult[] = [{ rate: 0, hidden: 0, rows: compare(main, main) }];
  for (const [rate, drawn] of rates) {
    const hidden = drawn.map((dialogue, d) =>
      dialogue.map((own, u) => new Set([...own, ...(base.hidden[d]?.[u] ?? [])])),
    );
    const rows = compare(await run({ hidden }), main);
    results.push({ rate, hidden: hiddenShare(split, present, drawn), rows });
  }
  return { seed, results };
}

async function measureAblations(
  { run, split, present, base }: Scene,
  main: Measured,
  names: readonly EvaluationAblation[],
): Promise<NonNullable<Evaluation['ablations']>> {
  const results: { without: EvaluationAblation; rows: ComparedRow[] }[] = [];
  for (const without of names) {
    const noFace = present.filter((modality) => modality !== 'face');
    const pass = without === 'face' ? { hidden: hideAllBut(split, noFace) } : { ...base, without };
    results.push({ without, rows: compare(await run(pass), main) });
  }
  return results;
}

async function measureShuffled(
  { run, split, base }: Scene,
  main: Measured,
): Promise<NonNullable<Evaluation['shuffledSpeakers']>> {
  const seed = EVALUATION_SEED;
  const result = await run({ ...base, speakers: shuffleSpeakers(split.dialogues, seed) });
  return { seed, rows: compare(result, main) };
}

/** Other weights classify the same utterances, shown the same modalities, as their own inputs read them. */
async function measureOthers(
  { base }: Scene,
  main: Measured,
  others: readonly { readonly weights: Weights; readonly split: EvaluatedSplit }[],
  control: RunnerOptions,
): Promise<OtherResult[]> {
  const results: OtherResult[] = [];
  for (const { weights, split } of others) {
    const { name, seed } = weights.provenance;
    const measured = await createRunner(weights, split, control)(base);
    results.push({ weights: name, seed, sources: split.sources, rows: compare(measured, main) });
  }
  return results;
}

/** Adds up classified utterances over all passes and reports them. */
function countUp(passes: number, { dialogues }: EvaluatedSplit, { onProgress }: EvaluateOptions): (n: number) => void {
  const total = passes * dialogues.reduce((sum, { utterances }) => sum + utterances.length, 0);
  let done = 0;
  return (utterances) => onProgress?.((done += utterances), total);
}

function countPasses(options: EvaluateOptions, present: readonly Modality[]): number {
  const subsets = options.subsets === true ? 2 * (subsetsOf(present).length - 1) : 0;
  const rates = options.rateMasks ? MISSING_RATES.length : 0;
  const parts = (options.ablations?.length ?? 0) + (options.shuffleSpeakers === true ? 1 : 0);
  return 1 + Math.max(0, subsets) + rates + parts + (options.others?.length ?? 0);
}

function checkAblations(names: readonly EvaluationAblation[], present: readonly Modality[]): void {
  if (!names.includes('face')) return;
  if (!present.includes('face'))
    throw new UndertoneError('BAD_OPTION', '--ablate face: nothing that is shown of this split has a face');
}

function commonestFloor(outcomes: readonly Outcome[], classes: number): number {
  const counts = Array.from({ length: classes }, (_, c) => outcomes.filter((o) => o.truth === c).length);
  const best = counts.indexOf(Math.max(...counts));
  const probabilities = counts.map((_, c) => (c === best ? 1 : 0));
  return computeMetrics(
    outcomes.map((o) => ({ ...o, probabilities })),
    classes,
  ).weightedF1;
}
