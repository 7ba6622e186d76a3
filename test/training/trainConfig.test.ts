import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UndertoneError } from '../../src/errors.ts';
import { parseTrainConfig, TRAINING_ABLATIONS } from '../../src/training/trainConfig.ts';
import { TINY_CONFIG } from '../support/tinyDataset.ts';

const CONFIGS = 'src/training/configs';
const TEXT = { name: 'text', modality: 'text', kind: 'tokens', tokens: 8 };
const STAGE = { name: 'words', mode: 'text', sources: [{ data: 'said' }] };
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

  it('fills in every default of the stages, the sources, the losses and the pairing.', () => {
    const { pretraining, sources, pairing, losses, averaging, without, augment, vocabularyLimit } = parseTrainConfig({
      ...LEAST,
      pretraining: [{ name: 'words', mode: 'text', sources: [{ data: 'said' }] }],
      sources: [{ data: 'calls', perEpoch: 9 }],
    });
    const nothing = { noise: 0, crop: 0, columnMask: 0, shift: 0, rest: 0 };
    const use = { splits: ['train'], dev: ['dev', 'validation'] };
    expect(pretraining).toEqual([
      {
        ...{ name: 'words', mode: 'text', sources: [{ data: 'said', ...use }], epochs: 2, batchUtterances: 128 },
        ...{
          learningRate: 2e-3,
          embeddingLearningRate: 2e-3,
          weightDecay: 0,
          clipNorm: 1,
          warmUpSteps: 100,
          crossLayers: false,
        },
        ...{ dropout: 0.2, wordDropout: 0.1, labelSmoothing: 0.05, classWeightPower: 0.3, augment: nothing },
      },
    ]);
    expect(sources).toEqual([{ data: 'calls', ...use, perEpoch: 9 }]);
    expect(pairing).toEqual({ share: 0, agreement: 1, rest: 0 });
    expect(losses).toEqual({
      ...{ contrastive: 0.5, contrastiveTemperature: 0.07, bank: 512, divergence: 0.1, substitution: 0.1 },
    });
    expect({ averaging, without, augment, vocabularyLimit }).toEqual({
      ...{ averaging: 0, without: [], augment: nothing, vocabularyLimit: 20_000 },
    });
  });

  it('names every default in docs/training.md, with its value.', async () => {
    const page = (await readFile('docs/training.md', 'utf8')).replace(/ +/g, ' ');
    const { shape, masks, losses, augment, pairing, pretraining, sources, ...rest } = parseTrainConfig({
      ...LEAST,
      pretraining: [{ name: 'words', mode: 'text', sources: [{ data: 'said' }] }],
      sources: [{ data: 'calls' }],
    });
    const { format: _, name: _n, licence: _l, trainedOn: _t, inputs: _i, ...plain } = rest;
    const { name: _s, mode: _m, sources: _u, augment: _a, ...stage } = pretraining[0]!;
    const { data: _d, ...use } = sources[0]!;
    const shown = (value: unknown): string =>
      Array.isArray(value) ? value.map((one) => `"${String(one)}"`).join(', ') || 'none' : String(value);
    for (const group of [plain, shape, masks, losses, augment, pairing, stage, use])
      for (const [field, value] of Object.entries(group)) expect(page).toContain(`| \`${field}\` | ${shown(value)} |`);
    // A page that names a field once may mean another part of the configuration: each part has a table of its own.
    expect(page.split('\n').filter((line) => line.startsWith('| `learningRate` |'))).toHaveLength(2);
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
    ['pretraining.1.name', { pretraining: [STAGE, STAGE] }],
    ['pretraining.0.name', { pretraining: [{ ...STAGE, name: 'dialogues' }] }],
    ['pretraining.0.name', { pretraining: [{ ...STAGE, name: 'a.b' }] }],
    ['pretraining.0.mode', { pretraining: [{ ...STAGE, mode: 'audio' }] }],
    ['pretraining.0.mode', { pretraining: [{ ...STAGE, mode: 'face' }] }],
    ['pretraining.0.mode', { inputs: [{ ...TEXT, kind: 'vector' }], pretraining: [STAGE] }],
    ['pretraining.0.sources', { pretraining: [{ ...STAGE, sources: [] }] }],
    ['pretraining.0.sources.1.data', { pretraining: [{ ...STAGE, sources: [{ data: 'x' }, { data: 'x' }] }] }],
    ['pretraining.0.augment.crop', { pretraining: [{ ...STAGE, augment: { crop: 1 } }] }],
    ['sources.0.splits', { sources: [{ data: 'x', splits: [] }] }],
    ['sources.0.perEpoch', { sources: [{ data: 'x', perEpoch: 0 }] }],
    ['losses.contrastiveTemperature', { losses: { contrastiveTemperature: 0 } }],
    ['losses.bank', { losses: { bank: -1 } }],
    ['averaging', { averaging: 1 }],
    ['without.1', { without: ['qaf', 'fusion'] }],
    ['pairing.share', { pairing: { share: 2 } }],
    ['format', { format: 2 }],
  ])('refuses what could not be trained or read again: %s.', (path, change) => {
    expect(problemsOf({ ...LEAST, ...change })).toContain(`${path}: `);
  });

  it('knows a mode by any of its modalities, and every part of the method that can be left out.', () => {
    const inputs = [TEXT, { name: 'body', modality: 'body', kind: 'sequence', tokens: 8 }];
    const pretraining = [STAGE, { ...STAGE, name: 'bodies', mode: 'visual' }];
    const config = parseTrainConfig({ ...LEAST, inputs, pretraining, without: TRAINING_ABLATIONS });
    expect(config.pretraining.map(({ mode }) => mode)).toEqual(['text', 'visual']);
    expect(config.without).toEqual(['qaf', 'joint-embedding', 'speaker', 'dialogue', 'guided-nce']);
  });

  it.each([[null], ['text'], [[]], [7], [undefined]])('refuses %j.', (value) => {
    expect(problemsOf(value)).toContain('training configuration: ');
  });
});
