import { UndertoneError } from '../errors.ts';
import { type ModelConfig, parseModelConfig } from './config.ts';
import { checkValues, parameterSpecs, type ParameterValues } from './parameters.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** Where weights come from, in words; shown by `doctor` and in the model card. */
export type Provenance = {
  readonly name: string;
  readonly trainedOn: string;
  readonly licence: string;
  readonly seed: number;
  /** Figures on the dev split, by name. */
  readonly dev: Readonly<Record<string, number>>;
};

/** A network that can be run: its shape, its numbers and where they come from. */
export type Weights = {
  readonly config: ModelConfig;
  readonly values: ParameterValues;
  readonly provenance: Provenance;
};

/**
 * Reads a weights file: a safetensors file whose metadata entry `undertone` is the JSON of shape and provenance. Tensors
 * must be exactly those of the network, finite and of the right shape.
 * @throws UndertoneError BAD_WEIGHTS with the rule that is broken
 */
export function decodeWeights(bytes: Uint8Array): Weights {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { config, provenance } = parseMetadata(metadata['undertone']);
  const parsed = parseModelConfig(config);
  const values = new Map([...tensors].map(([name, tensor]) => [name, tensor.values]));
  checkValues(parsed, values);
  for (const { name, shape } of parameterSpecs(parsed)) {
    const found = tensors.get(name)?.shape ?? [];
    if (found.join() !== shape.join())
      throw new UndertoneError(
        'BAD_WEIGHTS',
        `weights: tensor "${name}" has shape [${found.join(', ')}], not [${shape.join(', ')}]`,
      );
  }
  return { config: parsed, values, provenance };
}

/** Writes a weights file; equal weights give equal bytes. `F16` is what ships, `F32` what training resumes from. */
export function encodeWeights(weights: Weights, dtype: 'F16' | 'F32'): Uint8Array {
  const tensors = new Map(
    parameterSpecs(weights.config).map(({ name, shape }) => [
      name,
      { shape, values: weights.values.get(name) as Float32Array },
    ]),
  );
  const metadata = { undertone: JSON.stringify({ config: weights.config, provenance: weights.provenance }) };
  return encodeSafetensors({ tensors, metadata }, dtype);
}

function parseMetadata(text: string | undefined): { config: unknown; provenance: Provenance } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '');
  } catch {
    throw new UndertoneError('BAD_WEIGHTS', 'weights: the metadata entry "undertone" is missing or not JSON');
  }
  const { config, provenance } = (parsed ?? {}) as { config?: unknown; provenance?: unknown };
  return { config, provenance: parseProvenance(provenance) };
}

function parseProvenance(value: unknown): Provenance {
  const { name, trainedOn, licence, seed, dev } = (value ?? {}) as Record<string, unknown>;
  const text = (field: unknown): string => (typeof field === 'string' ? field.slice(0, 500) : 'unknown');
  const figures = Object.entries((typeof dev === 'object' && dev) || {}).filter(([, v]) => typeof v === 'number');
  return {
    name: text(name),
    trainedOn: text(trainedOn),
    licence: text(licence),
    seed: typeof seed === 'number' ? seed : 0,
    dev: Object.fromEntries(figures),
  };
}
