import { z } from 'zod';
import { MODALITIES, type Modality } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';
import { DEFAULT_SHAPE, type ModelConfig, modeOf } from '../model/config.ts';
import { ABLATIONS } from '../model/fusion.ts';
import {
  AugmentationSchema,
  type EncoderStage,
  type LearningSettings,
  type Pairing,
  PairingSchema,
  share,
  size,
  SourceSchema,
  type SourceUse,
  StageSchema,
} from './stageConfig.ts';

/** Parts of the method that training can leave out, to measure what they do. */
export const TRAINING_ABLATIONS: readonly [...typeof ABLATIONS, 'guided-nce'] = [...ABLATIONS, 'guided-nce'];

/** One input of the network and where a dataset keeps it. */
export type TrainInput = {
  readonly name: string;
  readonly modality: Modality;
  readonly kind: 'tokens' | 'vector' | 'sequence';
  /** The dataset's feature, when it has another name; words come from the utterances' text. */
  readonly feature?: string | undefined;
  readonly tokens: number;
  readonly speakerRelative: boolean;
};

/** How a model is trained; what a committed config file holds. Shares and chances are in [0, 1]. */
export type TrainConfig = LearningSettings & {
  readonly format: 1;
  readonly name: string;
  readonly licence: string;
  readonly trainedOn: string;
  readonly seed: number;
  readonly inputs: readonly TrainInput[];
  readonly shape: Omit<ModelConfig, 'format' | 'labels' | 'inputs' | 'vocabulary' | 'prior' | 'temperature'>;
  /** Rarer words are unknown; they still have n-grams. */
  readonly minWordCount: number;
  /** At most this many words are known, the commonest. */
  readonly vocabularyLimit: number;
  /** Stages before the dialogues, in order. */
  readonly pretraining: readonly EncoderStage[];
  /** Sources of the dialogue stage; the first has the split "dev" that selects. None = every dataset that was given. */
  readonly sources: readonly SourceUse[];
  readonly pairing: Pairing;
  /** Weights of the terms beside classification, and what they need. */
  readonly losses: {
    readonly contrastive: number;
    readonly contrastiveTemperature: number;
    /** How many earlier descriptors of each mode are kept as negatives. */
    readonly bank: number;
    readonly divergence: number;
    readonly substitution: number;
  };
  /** Of the context and the classifier, when another than `learningRate`. */
  readonly contextLearningRate?: number | undefined;
  /** Decay of the running average of the weights that is evaluated and kept; 0 = the weights themselves. */
  readonly averaging: number;
  /** How often the dialogues are trained from the same start, each time by another seed; the mean of the weights is kept. */
  readonly members: number;
  /** Parts of the method that are left out. */
  readonly without: readonly (typeof TRAINING_ABLATIONS)[number][];
  readonly epochs: number;
  /** Epochs without a better dev score after which training stops. */
  readonly patience: number;
  readonly batchDialogues: number;
  readonly focalGamma: number;
  readonly masks: {
    /** Per utterance and modality. */
    readonly bernoulli: number;
    /** Two-state Markov chain per stream: chance that it drops, chance that it returns. */
    readonly outageDrop: number;
    readonly outageReturn: number;
    /** Chance that a dialogue has only a random subset of its modalities. */
    readonly subset: number;
  };
  /** Chance that a dialogue keeps its whole future; otherwise it is cut at random into pieces of 1 to lookAhead + 1. */
  readonly wholeFuture: number;
};

const Input = z
  .object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    modality: z.enum(MODALITIES),
    kind: z.enum(['tokens', 'vector', 'sequence']),
    feature: z.string().optional(),
    tokens: z.number().int().min(1).max(512),
    speakerRelative: z.boolean().default(false),
  })
  .strict();

const TrainConfigSchema: z.ZodType<TrainConfig> = z
  .object({
    format: z.literal(1),
    name: z.string().min(1).max(100),
    licence: z.string().max(500),
    trainedOn: z.string().max(500),
    seed: z.number().int().min(0).default(1),
    inputs: z.array(Input).min(1).max(32),
    shape: z
      .object({
        width: size(DEFAULT_SHAPE.width, 8, 1024),
        heads: size(DEFAULT_SHAPE.heads, 1, 32),
        layers: size(DEFAULT_SHAPE.layers, 1, 12),
        feedForward: size(DEFAULT_SHAPE.feedForward, 8, 4096),
        contextHidden: size(DEFAULT_SHAPE.contextHidden, 4, 1024),
        headHidden: size(DEFAULT_SHAPE.headHidden, 4, 4096),
        reflections: size(DEFAULT_SHAPE.reflections, 1, 1024),
        lookAhead: size(DEFAULT_SHAPE.lookAhead, 0, 64),
        buckets: size(DEFAULT_SHAPE.buckets, 16, 1 << 20),
      })
      .strict()
      .prefault({}),
    minWordCount: size(2, 1, 1000),
    vocabularyLimit: size(20_000, 1, 1_000_000),
    pretraining: z.array(StageSchema).max(32).default([]),
    sources: z.array(SourceSchema).max(32).default([]),
    pairing: PairingSchema,
    losses: z
      .object({
        contrastive: z.number().min(0).max(100).default(0.5),
        contrastiveTemperature: z.number().min(0.01).max(1).default(0.07),
        bank: size(512, 0, 100_000),
        divergence: z.number().min(0).max(100).default(0.1),
        substitution: z.number().min(0).max(100).default(0.1),
      })
      .strict()
      .prefault({}),
    averaging: z.number().min(0).max(0.9999).default(0),
    members: size(1, 1, 16),
    without: z.array(z.enum(TRAINING_ABLATIONS)).default([]),
    augment: AugmentationSchema,
    epochs: size(20, 1, 1000),
    patience: size(4, 1, 1000),
    batchDialogues: size(16, 1, 1024),
    learningRate: z.number().positive().max(1).default(5e-4),
    contextLearningRate: z.number().positive().max(1).optional(),
    embeddingLearningRate: z.number().positive().max(1).default(1e-3),
    weightDecay: z.number().min(0).max(1).default(2e-4),
    clipNorm: z.number().positive().default(1),
    warmUpSteps: size(100, 0, 100_000),
    dropout: share(0.3),
    wordDropout: share(0.1),
    labelSmoothing: share(0.05),
    focalGamma: z.number().min(0).max(5).default(1),
    classWeightPower: share(0.3),
    masks: z
      .object({
        bernoulli: share(0.1),
        outageDrop: share(0.05),
        outageReturn: share(0.4),
        subset: share(0.15),
      })
      .strict()
      .prefault({}),
    wholeFuture: share(0.4),
  })
  .strict()
  .superRefine(({ inputs, shape, pretraining }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (shape.width % shape.heads !== 0 || shape.width % 8 !== 0)
      refuse(['shape', 'width'], 'it must be a multiple of heads and of 8');
    if (shape.contextHidden % 4 !== 0) refuse(['shape', 'contextHidden'], 'it must be a multiple of 4');
    pretraining.forEach(({ name, mode, sources }, i) => {
      if (name === 'dialogues') refuse(['pretraining', i, 'name'], 'it is the name of the last stage');
      sources.forEach(({ data }, s) => {
        if (sources.findIndex((other) => other.data === data) < s)
          refuse(['pretraining', i, 'sources', s, 'data'], 'it occurs twice');
      });
      if (pretraining.findIndex((other) => other.name === name) < i)
        refuse(['pretraining', i, 'name'], 'it occurs twice');
      if (!inputs.some((input) => modeOf(input.modality) === mode))
        refuse(['pretraining', i, 'mode'], 'no input has this mode');
      else if (mode === 'text' && !inputs.some(({ kind }) => kind === 'tokens'))
        refuse(['pretraining', i, 'mode'], 'it needs an input of kind "tokens"');
    });
    inputs.forEach(({ name, modality, kind }, i) => {
      if (inputs.findIndex((other) => other.name === name) < i) refuse(['inputs', i, 'name'], 'it occurs twice');
      if (kind === 'tokens' && modality !== 'text') refuse(['inputs', i, 'modality'], 'words are text');
      if (kind === 'tokens' && inputs.findIndex((other) => other.kind === kind) < i)
        refuse(['inputs', i, 'kind'], 'only one input can be words');
    });
  });

/** Reads a training configuration. @throws UndertoneError BAD_CONFIG listing every problem with its path */
export function parseTrainConfig(value: unknown): TrainConfig {
  const parsed = TrainConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new UndertoneError('BAD_CONFIG', `training configuration: ${problems.join('; ')}`);
}
