import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UndertoneError } from '../../src/errors.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { TINY_CONFIG } from '../support/tinyDataset.ts';

const CONFIGS = 'src/training/configs';
const TEXT = { name: 'text', modality: 'text', kind: 'tokens', tokens: 8 };
const LEAST = { format: 1, name: 'n', licence: '', trainedOn: '', inputs: [TEXT] };

function problemsOf(value: unknown): string {
  try {
    parseTrainConfig(value);
  } catch (error) {
    if (error instanceof UndertoneError && error.code === 'BAD_CONFIG') return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('parseTrainConfig', () => {
  it('fills in every default.', () => {
    expect(parseTrainConfig(LEAST)).toMatchObject({
      ...{ seed: 1, epochs: 20, patience: 4, batchDialogues: 16, minWordCount: 2, warmUpSteps: 100, clipNorm: 1 },
      ...{ learningRate: 5e-4, embeddingLearningRate: 1e-3, weightDecay: 2e-4, dropout: 0.3, wordDropout: 0.1 },
      ...{ labelSmoothing: 0.05, focalGamma: 1, classWeightPower: 0.3, wholeFuture: 0.4 },
      masks: { bernoulli: 0.1, outageDrop: 0.05, outageReturn: 0.4, subset: 0.15 },
      shape: { width: 128, heads: 4, layers: 4, lookAhead: 8, buckets: 8192 },
      inputs: [{ ...TEXT, speakerRelative: false }],
    });
  });

  it('names every default in docs/training.md, with its value.', async () => {
    const page = (await readFile('docs/training.md', 'utf8')).replace(/ +/g, ' ');
    const {
      format: _,
      name: _n,
      licence: _l,
      trainedOn: _t,
      inputs: _i,
      shape,
      masks,
      ...rest
    } = parseTrainConfig(LEAST);
    for (const [field, value] of Object.entries({ ...rest, ...shape, ...masks }))
      expect(page).toContain(`| \`${field}\` | ${String(value)} |`);
  });

  it('reads what is committed and what the tests train with.', async () => {
    const files = await readdir(CONFIGS);
    expect(files).toContain('undertone-base.json');
    for (const file of files)
      expect(parseTrainConfig(JSON.parse(await readFile(join(CONFIGS, file), 'utf8'))).format).toBe(1);
    expect(parseTrainConfig(TINY_CONFIG)).toMatchObject({ seed: 7, shape: { width: 8 } });
  });

  it('lists every problem with its path.', () => {
    const problems = problemsOf({
      ...LEAST,
      seed: -1,
      epochs: 0,
      learningRate: 2,
      masks: { subset: 1.5 },
      shape: { layers: 99 },
      inputs: [{ ...TEXT, kind: 'smell' }],
    });
    for (const path of ['seed', 'epochs', 'learningRate', 'masks.subset', 'shape.layers', 'inputs.0.kind'])
      expect(problems).toContain(`${path}: `);
  });

  it.each([
    ['epoch', { epoch: 3 }],
    ['speed', { masks: { speed: 1 } }],
    ['hidden', { shape: { hidden: 3 } }],
    ['dims', { inputs: [{ ...TEXT, dims: 3 }] }],
  ])('refuses the unknown field %s.', (field, change) => {
    expect(problemsOf({ ...LEAST, ...change })).toContain(`"${field}"`);
  });

  it.each([
    ['shape.width', { shape: { width: 20 } }],
    ['shape.width', { shape: { width: 32, heads: 3 } }],
    ['shape.contextHidden', { shape: { contextHidden: 6 } }],
    ['inputs.1.name', { inputs: [TEXT, { ...TEXT, kind: 'vector' }] }],
    ['inputs.1.kind', { inputs: [TEXT, { ...TEXT, name: 'more' }] }],
    ['inputs.0.modality', { inputs: [{ ...TEXT, modality: 'audio' }] }],
    ['inputs', { inputs: [] }],
    ['format', { format: 2 }],
  ])('refuses weights nobody could read again: %s.', (path, change) => {
    expect(problemsOf({ ...LEAST, ...change })).toContain(`${path}: `);
  });

  it.each([[null], ['text'], [[]], [7], [undefined]])('refuses %j.', (value) => {
    expect(problemsOf(value)).toContain('training configuration: ');
  });
});
