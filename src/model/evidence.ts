import { MODALITIES } from '../domain/modality.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import type { InputSpec, ModelConfig } from './config.ts';

/** The inputs of vectors and sequences that evidence has a field for; all others come in its `vectors`. */
const FIELDS = ['prosody', 'segments', 'face', 'body'] as const;

/** Whether evidence has a field for a vector or sequence input of this name. */
export function hasField(name: string): boolean {
  return FIELDS.some((field) => field === name);
}

/** The values given for a vector or sequence input: the field of its name, else its entry in `vectors`. */
export function signalOf(input: InputSpec, evidence: UtteranceEvidence): Float32Array | undefined {
  const field = FIELDS.find((name) => name === input.name);
  if (field !== undefined) return evidence[field];
  const { vectors = {} } = evidence;
  return Object.hasOwn(vectors, input.name) ? vectors[input.name] : undefined;
}

/**
 * Checks evidence against the inputs of the weights, before anything is counted, so that a refused utterance leaves no
 * trace. A vector is one row, a sequence any number of rows, all of finite numbers.
 * @throws RangeError naming the input and the rule
 */
export function checkEvidence(config: ModelConfig, evidence: UtteranceEvidence): void {
  for (const modality of MODALITIES) {
    const { share } = evidence.availability[modality];
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share of ${modality} must be from 0 to 1, got ${share}`);
  }
  const signals = config.inputs.filter((input) => input.kind !== 'tokens');
  for (const input of signals) {
    const values = signalOf(input, evidence);
    if (values === undefined || values.length === 0) continue;
    const fits = input.kind === 'vector' ? values.length === input.dim : values.length % input.dim === 0;
    if (!fits || !values.every(Number.isFinite))
      throw new RangeError(
        `${input.name} must hold ${input.kind === 'vector' ? 'one row' : 'rows'} of ${input.dim} finite numbers, got ${values.length} values`,
      );
  }
  const named = signals.map(({ name }) => name).filter((name) => !hasField(name));
  for (const name of Object.keys(evidence.vectors ?? {}))
    if (!named.includes(name))
      throw new RangeError(
        `vectors must hold only inputs of the weights that have no field of their own (${named.join(', ') || 'none here'}), got "${name.slice(0, 64)}"`,
      );
}
