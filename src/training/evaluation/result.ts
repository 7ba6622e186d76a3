import type { Modality } from '../../domain/modality.ts';
import type { Estimate } from './bootstrap.ts';
import type { EvaluatedSplit } from './split.ts';
import type { Metrics, ReliabilityBin } from '../metrics.ts';

/** Look-aheads that are reported; the last stands for the whole dialogue (at most 64 later utterances). */
export const LOOK_AHEADS: readonly number[] = [0, 1, 2, 4, 8, Infinity];

/** Bins of confidence that the calibration error and the reliability diagram are made of. */
export const RELIABILITY_BINS = 15;

/** Parts that can be switched off to measure what they do; without `face`, body stands in for it where there is body. */
export const EVALUATION_ABLATIONS = ['qaf', 'joint-embedding', 'speaker', 'dialogue', 'face'] as const;
/** One part of {@link EVALUATION_ABLATIONS}. */
export type EvaluationAblation = (typeof EVALUATION_ABLATIONS)[number];

/** Quality at one look-ahead, with the 95 % interval of the weighted F1 over dialogues. */
export type EvaluationRow = {
  readonly lookAhead: number;
  readonly metrics: Metrics;
  readonly interval: readonly [number, number];
  /** Confidence against accuracy, in the 15 bins of the calibration error. */
  readonly bins: readonly ReliabilityBin[];
};

/** {@link EvaluationRow} of a variant, and its weighted F1 minus that of what it is compared with, in pairs. */
export type ComparedRow = EvaluationRow & { readonly difference: Estimate };

/** Only these modalities are shown: masked, and with zeros in the place of the others, compared with masked. */
export type SubsetResult = {
  readonly shown: readonly Modality[];
  readonly rows: readonly ComparedRow[];
  /** Absent for the whole set, in which nothing is missing. */
  readonly zeroFilled?: readonly ComparedRow[];
};

/** Modalities hidden at random; `hidden` is the share that really was, as no utterance loses everything. */
export type RateResult = { readonly rate: number; readonly hidden: number; readonly rows: readonly ComparedRow[] };

/** Other weights on the same utterances, shown the same modalities; their differences are theirs minus these. */
export type OtherResult = {
  readonly weights: string;
  readonly seed: number;
  readonly sources: EvaluatedSplit['sources'];
  readonly rows: readonly ComparedRow[];
};

/** What an evaluation found. `floor` is the weighted F1 of always answering the commonest label of the split. */
export type Evaluation = {
  readonly dataset: string;
  readonly split: string;
  readonly labels: readonly string[];
  /** Modalities that the network may see, and those of them that are really there. */
  readonly shown: readonly Modality[];
  readonly present: readonly Modality[];
  readonly sources: EvaluatedSplit['sources'];
  readonly dialogues: number;
  readonly utterances: number;
  readonly floor: number;
  readonly rows: readonly EvaluationRow[];
  readonly subsets?: readonly SubsetResult[];
  readonly rates?: { readonly seed: number; readonly results: readonly RateResult[] };
  readonly ablations?: readonly { readonly without: EvaluationAblation; readonly rows: readonly ComparedRow[] }[];
  readonly shuffledSpeakers?: { readonly seed: number; readonly rows: readonly ComparedRow[] };
  readonly others?: readonly OtherResult[];
};
