import { UndertoneError } from '../errors.ts';
import { MODALITIES, type Modality } from '../domain/modality.ts';

/** The modes of the paper; `visual` has the two streams face and body. */
export const MODES = ['text', 'audio', 'visual'] as const;
/** One mode. */
export type Mode = (typeof MODES)[number];

/** The mode that a modality belongs to. */
export function modeOf(modality: Modality): Mode {
  return modality === 'face' || modality === 'body' ? 'visual' : modality;
}

/**
 * One input of the network. `tokens`: words (`dim` is unused); `vector`: one row of `dim` numbers per utterance, made into
 * `tokens` tokens; `sequence`: rows of `dim` numbers at 10 Hz, made into at most `tokens` tokens by averaging neighbours.
 */
export type InputSpec = {
  readonly name: string;
  readonly modality: Modality;
  readonly kind: 'tokens' | 'vector' | 'sequence';
  readonly dim: number;
  readonly tokens: number;
  /** Whether the network also sees how the values differ from what is usual for this speaker. */
  readonly speakerRelative: boolean;
};

/** The key of {@link ModelConfig.temperatures} for an utterance heard with these modes. */
export function modesKey(modes: Iterable<Mode>): string {
  const heard = new Set(modes);
  return MODES.filter((mode) => heard.has(mode)).join('+');
}

/** Numbers per row that the network reads of an input: twice `dim` when it is also seen relative to the speaker. */
export function rowWidth(input: InputSpec): number {
  return input.speakerRelative ? 2 * input.dim : input.dim;
}

/** Everything that fixes the network's shape and meaning; stored with the weights. */
export type ModelConfig = {
  readonly format: 1;
  /** The ordered list of classes. */
  readonly labels: readonly string[];
  /** d: width of a token; a multiple of `heads` and of 8. */
  readonly width: number;
  readonly heads: number;
  /** L: layers of the adaptive cross-attended network. */
  readonly layers: number;
  readonly feedForward: number;
  /** Hidden units of each direction of the dialogue and speaker LSTMs; a multiple of 4. */
  readonly contextHidden: number;
  readonly headHidden: number;
  /** Householder reflections whose product is one mode's orthogonal map. */
  readonly reflections: number;
  /** K: how many later utterances may revise a prediction. */
  readonly lookAhead: number;
  readonly inputs: readonly InputSpec[];
  /** Known words in order of their row in the embedding; row 0 is "unknown". */
  readonly vocabulary: readonly string[];
  /** Rows of the hashed character n-gram embedding. */
  readonly buckets: number;
  /** Divides the logits: calibration by temperature (Guo et al. 2017, arXiv 1706.04599), fitted on dev. */
  readonly temperature: number;
  /**
   * Temperatures fitted for utterances that were heard with exactly these modes: keys are modes joined by "+" in the
   * order of {@link MODES}, such as "text+audio". Where there is no entry, `temperature` holds.
   */
  readonly temperatures?: Readonly<Record<string, number>> | undefined;
  /** Share of each label in the training split: what is answered when an utterance has no modality at all. */
  readonly prior: readonly number[];
};

/** The shape that ships, without what a dataset decides. Source: METHOD.md; sizes below its defaults are our decision. */
export const DEFAULT_SHAPE: Omit<ModelConfig, 'labels' | 'inputs' | 'vocabulary' | 'prior'> = {
  format: 1,
  width: 128,
  heads: 4,
  layers: 4,
  feedForward: 256,
  contextHidden: 96,
  headHidden: 128,
  reflections: 8,
  lookAhead: 8,
  buckets: 8192,
  temperature: 1,
};

const LIMITS: Record<string, readonly [number, number]> = {
  width: [8, 1024],
  heads: [1, 32],
  layers: [1, 12],
  feedForward: [8, 4096],
  contextHidden: [4, 1024],
  headHidden: [4, 4096],
  reflections: [1, 1024],
  lookAhead: [0, 64],
  buckets: [16, 1 << 20],
};

/** Checks a configuration that came with a weights file. @throws UndertoneError BAD_WEIGHTS with the rule it breaks */
export function parseModelConfig(value: unknown): ModelConfig {
  const fail = (rule: string): never => {
    throw new UndertoneError('BAD_WEIGHTS', `weights: the model configuration is not valid: ${rule}`);
  };
  if (typeof value !== 'object' || value === null) return fail('not an object');
  const config = value as Record<string, unknown>;
  if (config['format'] !== 1) fail(`format must be 1, got ${String(config['format'])}`);
  for (const [name, [min, max]] of Object.entries(LIMITS)) {
    const n = config[name];
    if (typeof n !== 'number' || !Number.isInteger(n) || n < min || n > max)
      fail(`${name} must be a whole number from ${min} to ${max}`);
  }
  const checked = config as ModelConfig;
  if (checked.width % checked.heads !== 0 || checked.width % 8 !== 0)
    fail('width must be a multiple of heads and of 8');
  if (checked.contextHidden % 4 !== 0) fail('contextHidden must be a multiple of 4');
  if (typeof checked.temperature !== 'number' || !(checked.temperature > 0.01 && checked.temperature < 100))
    fail('temperature must be from 0.01 to 100');
  if (!isTemperatures(config['temperatures'])) fail('temperatures must be from 0.01 to 100, by modes joined by "+"');
  if (!isStrings(checked.labels, 2, 1000)) fail('labels must be 2 to 1000 distinct names');
  if (!isDistribution(checked.prior, checked.labels.length)) fail('prior must hold one share per label, summing to 1');
  if (!isStrings(checked.vocabulary, 0, 1_000_000)) fail('vocabulary must be a list of distinct words');
  if (
    !Array.isArray(checked.inputs) ||
    checked.inputs.length < 1 ||
    checked.inputs.length > 32 ||
    !checked.inputs.every(isInput)
  )
    fail('inputs must be 1 to 32 valid inputs');
  if (new Set(checked.inputs.map((input) => input.name)).size !== checked.inputs.length)
    fail('inputs must have distinct names');
  return checked;
}

function isStrings(value: unknown, min: number, max: number): boolean {
  return (
    Array.isArray(value) &&
    value.length >= min &&
    value.length <= max &&
    value.every((item) => typeof item === 'string' && item.length > 0 && item.length <= 200) &&
    new Set(value).size === value.length
  );
}

function isDistribution(value: unknown, length: number): boolean {
  if (!Array.isArray(value) || value.length !== length || !value.every((x) => typeof x === 'number' && x >= 0))
    return false;
  return Math.abs((value as number[]).reduce((a, b) => a + b, 0) - 1) < 1e-3;
}

function isTemperatures(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(
    ([key, t]) =>
      key === MODES.filter((mode) => key.split('+').includes(mode)).join('+') &&
      key !== '' &&
      typeof t === 'number' &&
      t > 0.01 &&
      t < 100,
  );
}

function isInput(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, modality, kind, dim, tokens, speakerRelative } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    /^[A-Za-z0-9_-]{1,64}$/.test(name) &&
    (MODALITIES as readonly unknown[]).includes(modality) &&
    (kind === 'tokens' || kind === 'vector' || kind === 'sequence') &&
    typeof speakerRelative === 'boolean' &&
    isCount(dim, kind === 'tokens' ? 0 : 1, 65_536) &&
    isCount(tokens, 1, 512) &&
    (kind === 'tokens') === (modality === 'text' && dim === 0)
  );
}

function isCount(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}
