import { z } from 'zod';
import { type Mode, MODES } from '../model/config.ts';

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
  /** Standard deviation of one offset per column and utterance of what is also seen relative to the speaker: another rest. */
  readonly rest: number;
};

/** How a stage, or the dialogues, learn; the same in both, with other defaults. Shares and chances are in [0, 1]. */
export type LearningSettings = {
  readonly learningRate: number;
  readonly embeddingLearningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly warmUpSteps: number;
  readonly dropout: number;
  readonly wordDropout: number;
  readonly labelSmoothing: number;
  /** Class weights are frequency^-power, scaled to mean 1 over what is trained on. */
  readonly classWeightPower: number;
  readonly augment: Augmentation;
};

/** One stage of pre-training: the encoder of one mode, with one head for each source in that source's own labels. */
export type EncoderStage = LearningSettings & {
  readonly name: string;
  readonly mode: Mode;
  readonly sources: readonly SourceUse[];
  /** Whether the mode's layers of the cross-attended network are trained too; no other mode being there, they feed forward. */
  readonly crossLayers: boolean;
  readonly epochs: number;
  readonly batchUtterances: number;
};

/** Donors of label-conditioned pairing, by modality: sources whose labels are those of the dialogues. */
export type Pairing = {
  /** Chance that a dialogue gets donors. */
  readonly share: number;
  /** Chance that what is lent has the label of the utterance; else it is any of the donor's. */
  readonly agreement: number;
  /** Chance that a speaker is lent one and the same utterance throughout, as of a face at rest. */
  readonly rest: number;
  readonly audio?: string | undefined;
  readonly face?: string | undefined;
  readonly body?: string | undefined;
};

/** A share or chance in [0, 1] with a default. */
export const share = (value: number): z.ZodDefault<z.ZodNumber> => z.number().min(0).max(1).default(value);
/** A whole number in a range, with a default. */
export const size = (value: number, min: number, max: number): z.ZodDefault<z.ZodNumber> =>
  z.number().int().min(min).max(max).default(value);

/** Checks {@link SourceUse}. */
export const SourceSchema: z.ZodType<SourceUse> = z
  .object({
    data: z.string().min(1).max(200),
    splits: z.array(z.string().min(1)).min(1).default(['train']),
    dev: z.array(z.string().min(1)).default(['dev', 'validation']),
    perEpoch: z.number().int().positive().optional(),
    classWeightPower: z.number().min(0).max(1).optional(),
  })
  .strict();

/** Checks {@link Augmentation}; everything has a default. */
export const AugmentationSchema: z.ZodType<Augmentation> = z
  .object({
    noise: z.number().min(0).max(2).default(0),
    crop: z.number().min(0).max(0.9).default(0),
    columnMask: share(0),
    shift: z.number().min(0).max(2).default(0),
    rest: z.number().min(0).max(2).default(0),
  })
  .strict()
  .prefault({});

/** Checks {@link EncoderStage}. */
export const StageSchema: z.ZodType<EncoderStage> = z
  .object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    mode: z.enum(MODES),
    sources: z.array(SourceSchema).min(1),
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
    augment: AugmentationSchema,
  })
  .strict();

/** Checks {@link Pairing}; nothing is lent unless told. */
export const PairingSchema: z.ZodType<Pairing> = z
  .object({
    share: share(0),
    agreement: share(1),
    rest: share(0),
    audio: z.string().optional(),
    face: z.string().optional(),
    body: z.string().optional(),
  })
  .strict()
  .prefault({});
