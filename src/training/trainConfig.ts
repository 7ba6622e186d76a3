import { z } from 'zod';
import { MODALITIES, type Modality } from '../domain/modality.ts';
import { UndertoneError } from '../errors.ts';
import { DEFAULT_SHAPE, type Mode, type ModelConfig, modeOf, MODES } from '../model/config.ts';
import { ABLATIONS } from '../model/fusion.ts';

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

/** Which part of a source of data is used: its name, its splits and, if fewer than all, how many utterances an epoch draws. */
export type SourceUse = {
  readonly data: string;
  readonly splits: readonly string[];
  /** Splits that are measured after each epoch of pre-training, where they exist. */
  readonly dev: readonly string[];
  /** The dialogue with which this number is reached is drawn whole. */
  readonly perEpoch?: number | undefined;
  /** Of a further source of dialogues, in place of that of the configuration. */
  readonly classWeightPower?: number | undefined;
};

/** Random changes of normalised rows, new in each epoch. */
export type Augmentation = {
  /** Standard deviation of added noise, in standard deviations of the column. */
  readonly noise: number;
  /** Share of a sequence that may be cut off at its ends. */
  readonly crop: number;
  /** Chance that a block of up to an eighth of the columns is set to its mean. */
  readonly columnMask: number;
  /** Standard deviation of one offset per column and utterance: another room, another camera. */
  readonly shift: number;
};

/** One stage of pre-training: the encoder of one mode, with one head for each source in that source's own labels. */
export type EncoderStage = {
  readonly name: string;
  readonly mode: Mode;
  readonly sources: readonly SourceUse[];
  /** Whether the mode's layers of the cross-attended network are trained too; no other mode being there, they feed forward. */
  readonly crossLayers: boolean;
  readonly epochs: number;
  readonly batchUtterances: number;
  readonly learningRate: number;
  readonly embeddingLearningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly warmUpSteps: number;
  readonly dropout: number;
  readonly wordDropout: number;
  readonly labelSmoothing: number;
  readonly classWeightPower: number;
  readonly augment: Augmentation;
};

/** Donors of label-conditioned pairing, by modality: sources whose labels are those of the dialogues. */
export type Pairing = {
  /** Chance that a dialogue gets donors. */
  readonly share: number;
  /** Chance that what is lent has the label of the utterance; else it is any of the donor's. */
  readonly agreement: number;
  readonly audio?: string | undefined;
  readonly face?: string | undefined;
  readonly body?: string | undefined;
};

/** How a model is trained; what a committed config file holds. Shares and chances are in [0, 1]. */
export type TrainConfig = {
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
  /** Decay of the running average of the weights that is evaluated and kept; 0 = the weights themselves. */
  readonly averaging: number;
  /** Parts of the method that are left out. */
  readonly without: readonly (typeof TRAINING_ABLATIONS)[number][];
  readonly augment: Augmentation;
  readonly epochs: number;
  /** Epochs without a better dev score after which training stops. */
  readonly patience: number;
  readonly batchDialogues: number;
  readonly learningRate: number;
  readonly embeddingLearningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly warmUpSteps: number;
  readonly dropout: number;
  readonly wordDropout: number;
  readonly labelSmoothing: number;
  readonly focalGamma: number;
  /** Class weights are frequency^-power, scaled to mean 1 over the training utterances. */
  readonly classWeightPower: number;
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

const share = (value: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).max(1).default(value);
const size = (value: number, min: number, max: number): z.ZodDefault<z.ZodNumber> =>
  z.number().int().min(min).max(max).default(value);

const Source = z
  .object({
    data: z.string().min(1).max(200),
    splits: z.array(z.string().min(1)).min(1).default(['train']),
    dev: z.array(z.string().min(1)).default(['dev', 'validation']),
    perEpoch: z.number().int().positive().optional(),
    classWeightPower: z.number().min(0).max(1).optional(),
  })
  .strict();

const Augment = z
  .object({
    noise: z.number().min(0).max(2).default(0),
    crop: z.number().min(0).max(0.9).default(0),
    columnMask: share(0),
    shift: z.number().min(0).max(2).default(0),
  })
  .strict()
  .prefault({});

const Stage = z
  .object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    mode: z.enum(MODES),
    sources: z.array(Source).min(1),
    crossLayers: z.boolean().default(false),
    epochs: size(2, 1, 1000),
    batchUtterances: size(128, 1, 4096),
    learningRate: z.number().positive().max(1).default(2e-3),
    embeddingLearningRate: z.number().positive().max(1).default(2e-3),
    weightDecay: z.number().min(0).max(1).default(0),
    clipNorm: z.number().positive().default(1),
    warmUpSteps: size(100, 0, 100_000),
    dropout: share(0.2),
    wordDropout: share(0.1),
    labelSmoothing: share(0.05),
    classWeightPower: share(0.3),
    augment: Augment,
  })
  .strict();

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
    pretraining: z.array(Stage).max(32).default([]),
    sources: z.array(Source).max(32).default([]),
    pairing: z
      .object({
        share: share(0),
        agreement: share(1),
        audio: z.string().optional(),
        face: z.string().optional(),
        body: z.string().optional(),
      })
      .strict()
      .prefault({}),
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
    without: z.array(z.enum(TRAINING_ABLATIONS)).default([]),
    augment: Augment,
    epochs: size(20, 1, 1000),
    patience: size(4, 1, 1000),
    batchDialogues: size(16, 1, 1024),
    learningRate: z.number().positive().max(1).default(5e-4),
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
