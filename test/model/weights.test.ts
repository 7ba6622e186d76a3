import { beforeAll, describe, expect, it } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { startBackend } from '../../src/model/backend.ts';
import { createEmotionModel } from '../../src/model/conversation.ts';
import { fromFloat16, toFloat16 } from '../../src/model/float16.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../src/model/safetensors.ts';
import { decodeWeights, encodeWeights, type Weights } from '../../src/model/weights.ts';
import { addAll, randomDialogue } from '../support/tinyConversation.ts';
import { TINY, tinyWeights } from '../support/tinyModel.ts';

beforeAll(() => startBackend('cpu'));

const WEIGHTS = tinyWeights();
const FILE = decodeSafetensors(encodeWeights(WEIGHTS, 'F32'));

/** The weights file with other tensors or another metadata entry. */
function fileWith(change: (tensors: Map<string, StoredTensor>) => void, undertone?: string): Uint8Array {
  const tensors = new Map(FILE.tensors);
  change(tensors);
  const metadata = { undertone: undertone ?? FILE.metadata['undertone'] ?? '' };
  return encodeSafetensors({ tensors, metadata }, 'F32');
}

function refusalOf(bytes: Uint8Array): string | undefined {
  try {
    decodeWeights(bytes);
    return undefined;
  } catch (error) {
    if (isUndertoneError(error) && error.code === 'BAD_WEIGHTS') return error.message;
    throw error;
  }
}

describe('encodeWeights and decodeWeights', () => {
  it('give the network back to the bit in 32 bits, with its shape and where it comes from.', () => {
    const read = decodeWeights(encodeWeights(WEIGHTS, 'F32'));
    expect(read.config).toEqual(WEIGHTS.config);
    expect(read.provenance).toEqual(WEIGHTS.provenance);
    expect([...read.values].sort(byName)).toEqual([...WEIGHTS.values].sort(byName));
  });

  it('give the nearest half-precision numbers back in 16 bits, at half the size.', () => {
    const bytes = encodeWeights(WEIGHTS, 'F16');
    const read = decodeWeights(bytes);
    for (const [name, values] of WEIGHTS.values)
      expect([...(read.values.get(name) ?? [])]).toEqual([...values].map((value) => fromFloat16(toFloat16(value))));
    expect(encodeWeights(read, 'F16')).toEqual(bytes);
    const parameters = [...WEIGHTS.values.values()].reduce((sum, values) => sum + values.length, 0);
    expect(encodeWeights(WEIGHTS, 'F32').length - bytes.length).toBeGreaterThan(1.9 * parameters);
  });

  it('make a model that answers as the one that was written.', async () => {
    const dialogue = randomDialogue(1, ['Ann', 'Ben', 'Ann'], [['text', 'prosody'], ['segments']]);
    const models = [WEIGHTS, decodeWeights(encodeWeights(WEIGHTS, 'F32'))].map(createEmotionModel);
    const [written, read] = await Promise.all(models.map((model) => addAll(model.open(), dialogue)));
    models.forEach((model) => model.dispose());
    expect(read).toEqual(written);
  });

  it('give equal bytes for equal weights.', () => {
    const reversed: Weights = { ...WEIGHTS, values: new Map([...WEIGHTS.values].reverse()) };
    expect(encodeWeights(reversed, 'F16')).toEqual(encodeWeights(WEIGHTS, 'F16'));
  });
});

describe('decodeWeights', () => {
  it('refuses a file in which any one tensor is missing, and names it.', () => {
    for (const name of FILE.tensors.keys()) {
      const message = refusalOf(fileWith((tensors) => tensors.delete(name)));
      expect(message).toBe(`weights: tensor "${name}" is missing`);
    }
  });

  it('refuses a tensor the network does not have.', () => {
    const more = fileWith((tensors) => tensors.set('backdoor', { shape: [1], values: Float32Array.of(1) }));
    expect(refusalOf(more)).toBe('weights: unknown tensor "backdoor"');
  });

  it('refuses a tensor of another size, or of the same size in another shape.', () => {
    const shrink = fileWith((tensors) => tensors.set('head.out.b', { shape: [2], values: new Float32Array(2) }));
    expect(refusalOf(shrink)).toBe('weights: tensor "head.out.b" must have shape [3]');
    const values = WEIGHTS.values.get('head.out.w') as Float32Array;
    const turn = fileWith((tensors) => tensors.set('head.out.w', { shape: [3, 8], values }));
    expect(refusalOf(turn)).toBe('weights: tensor "head.out.w" has shape [3, 8], not [8, 3]');
  });

  it.each([NaN, Infinity, -Infinity])('refuses a tensor that holds %d.', (value) => {
    const values = (WEIGHTS.values.get('head.out.b') as Float32Array).with(1, value);
    const bytes = fileWith((tensors) => tensors.set('head.out.b', { shape: [3], values }));
    expect(refusalOf(bytes)).toBe('weights: tensor "head.out.b" holds NaN or infinity');
  });

  it.each([
    ['nothing', ''],
    ['text that is not JSON', 'tiny'],
    ['null', 'null'],
    ['a number', '7'],
    ['no configuration', '{"provenance":{}}'],
    ['a configuration that breaks a rule', JSON.stringify({ config: { ...TINY, layers: 99 } })],
    ['a configuration of another shape', JSON.stringify({ config: { ...TINY, width: 24 } })],
    ['a configuration with more layers', JSON.stringify({ config: { ...TINY, layers: 3 } })],
    ['a configuration with another vocabulary', JSON.stringify({ config: { ...TINY, vocabulary: ['no'] } })],
  ])('refuses metadata that holds %s.', (_, undertone) => {
    expect(refusalOf(fileWith(() => undefined, undertone))).toMatch(/^weights: /);
  });

  it('refuses a safetensors file that is not ours, and what is no safetensors file.', () => {
    expect(refusalOf(encodeSafetensors({ tensors: FILE.tensors, metadata: {} }, 'F32'))).toMatch(
      /"undertone" is missing/,
    );
    expect(refusalOf(new TextEncoder().encode('PK\u0003\u0004 something else'))).toMatch(/not a valid safetensors/);
  });

  it('fills in what is not known of its origin, and cuts what is too long.', () => {
    const provenance = { name: 'x'.repeat(900), trainedOn: 7, seed: 'one', dev: { wf1: 0.5, note: 'text' } };
    const bytes = fileWith(() => undefined, JSON.stringify({ config: TINY, provenance }));
    expect(decodeWeights(bytes).provenance).toEqual({
      name: 'x'.repeat(500),
      trainedOn: 'unknown',
      licence: 'unknown',
      seed: 0,
      dev: { wf1: 0.5 },
    });
    const silent = fileWith(() => undefined, JSON.stringify({ config: TINY }));
    expect(decodeWeights(silent).provenance.name).toBe('unknown');
  });
});

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
